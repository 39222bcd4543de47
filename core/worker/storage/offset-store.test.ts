import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLogger } from '../../common/log.ts'
import { MemoryLog } from '../test-support/memory-log.ts'
import { FileOffsetStore } from './file-offset-store.ts'
import { OffsetTable, offsetKey, TopicOffsetStore } from './offset-store.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'millrace-offsets-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

test("an offset is found for any order of the partition's fields, and is rewritten with the stored key", () => {
  const table = new OffsetTable()
  table.apply('["c",{"server":"s","database":"d"}]', '{"lsn":1}')
  expect(table.get('["c",{"database":"d","server":"s"}]')).toBe('{"lsn":1}')
  expect(table.asStored(['["c",{"database":"d","server":"s"}]', '{"lsn":2}'])[0]).toBe(
    '["c",{"server":"s","database":"d"}]',
  )
})

test("a connector's offsets are listed by partition with exact numbers, and a null value removes an offset", () => {
  const table = new OffsetTable()
  table.apply(offsetKey('c', { file: 'a' }), '{"lsn":9223372036854775807}')
  table.apply(offsetKey('c', { file: 'b' }), '{"lsn":1}')
  table.apply(offsetKey('d', { file: 'a' }), '{"lsn":2}')
  table.apply('not json', 'x')
  expect(table.ofConnector('c')).toEqual([
    [{ file: 'a' }, { lsn: 9223372036854775807n }],
    [{ file: 'b' }, { lsn: 1 }],
  ])
  table.apply(offsetKey('c', { file: 'a' }), null)
  expect(table.ofConnector('c')).toHaveLength(1)
  expect(table.entries().map(([k]) => k)).toContain('not json')
})

test("the offset file of Connect's standalone mode is read, and is rewritten with all its entries", async () => {
  const golden = await readFile(new URL('./fixtures/standalone.offsets', import.meta.url))
  const path = join(dir, 'offsets')
  await writeFile(path, golden)
  const store = new FileOffsetStore(path)
  await store.start()
  expect(store.get(['["sa2",{"filename":"/tmp/h/in2.txt"}]', '["none",{}]'])).toEqual(['{"position":4}', null])
  await store.put([['["sa2",{"filename":"/tmp/h/in2.txt"}]', '{"position":9}']])
  const again = new FileOffsetStore(path)
  await again.start()
  expect(again.ofConnector('sa2')).toEqual([[{ filename: '/tmp/h/in2.txt' }, { position: 9 }]])
  expect(again.ofConnector('sa-Ã©')).toHaveLength(1)
  expect(await readdir(dir)).toEqual(['offsets'])
})

test('a missing or empty file has no offsets, and a damaged file causes an error', async () => {
  await new FileOffsetStore(join(dir, 'none')).start()
  const path = join(dir, 'bad')
  await writeFile(path, '')
  await new FileOffsetStore(path).start()
  await writeFile(path, 'not java')
  await expect(new FileOffsetStore(path).start()).rejects.toMatchObject({ code: 'MR_WORKER_OFFSETS_FILE' })
})

test('a failed write of the offset file rejects the put with a retriable error', async () => {
  const store = new FileOffsetStore(join(dir, 'gone', 'offsets'))
  await store.start()
  await expect(store.put([['["a",{}]', '{}']])).rejects.toMatchObject({
    code: 'MR_WORKER_OFFSETS_FILE_WRITE',
    retriable: true,
  })
})

test('concurrent puts are all written to the file', async () => {
  const path = join(dir, 'offsets')
  const store = new FileOffsetStore(path)
  await store.start()
  const keys = Array.from({ length: 20 }, (_, i) => offsetKey('c', { i }))
  await Promise.all(keys.map(key => store.put([[key, '{"p":1}']])))
  const again = new FileOffsetStore(path)
  await again.start()
  expect(again.get(keys)).toEqual(keys.map(() => '{"p":1}'))
})

test('the offsets topic stores offsets, and an offset is visible when its put resolves', async () => {
  const log = new MemoryLog()
  const make = () =>
    new TopicOffsetStore({
      topic: 'of',
      topicKey: 'offset.storage.topic',
      replicationKey: 'offset.storage.replication.factor',
      partitions: 25,
      replicationFactor: 1,
      settings: {},
      producer: {},
      consumer: {},
      admin: {},
      clients: log,
      logger: createLogger('test.offsets'),
    })
  const store = make()
  await store.start()
  const key = offsetKey('pgn', { server: 'pgn' })
  expect(key).toBe('["pgn",{"server":"pgn"}]')
  await store.put([[key, '{"lsn":5}']])
  expect(store.get([key])).toEqual(['{"lsn":5}'])
  await store.close()
  const next = make()
  await next.start()
  expect(next.get([key])).toEqual(['{"lsn":5}'])
  await next.close()
})

test('an existing offsets topic that is not compacted is rejected', async () => {
  const log = new MemoryLog()
  log.create('of', 25, { 'cleanup.policy': 'delete' })
  const store = new TopicOffsetStore({
    topic: 'of',
    topicKey: 'offset.storage.topic',
    replicationKey: 'offset.storage.replication.factor',
    partitions: 25,
    replicationFactor: 1,
    settings: {},
    producer: {},
    consumer: {},
    admin: {},
    clients: log,
    logger: createLogger('test.offsets'),
  })
  await expect(store.start()).rejects.toMatchObject({ code: 'MR_WORKER_TOPIC_NOT_COMPACTED' })
  await store.close()
})
