import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PeerKafka, startPeerConnect, startPeerKafka, startPeerStandalone } from '../../../test/peers/servers.ts'
import { sleep } from '../../common/async/sleep.ts'
import { ask } from '../rest/test-support/contract.ts'
import { startWorker, type Worker } from '../worker.ts'

let kafka: PeerKafka
const dir = mkdtempSync(join(tmpdir(), 'millrace-move-'))

beforeAll(async () => {
  kafka = await startPeerKafka()
})
afterAll(async () => {
  await kafka?.stop()
  rmSync(dir, { recursive: true, force: true })
})

const common = () => ({
  'bootstrap.servers': kafka.bootstrap,
  'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'offset.flush.interval.ms': '200',
  listeners: 'http://127.0.0.1:0',
})

function startOurs(topics: string): Promise<Worker> {
  return startWorker(
    {
      ...common(),
      'group.id': `${topics}-cluster`,
      'config.storage.topic': `${topics}-configs`,
      'offset.storage.topic': `${topics}-offsets`,
      'status.storage.topic': `${topics}-status`,
      'config.storage.replication.factor': '1',
      'offset.storage.replication.factor': '1',
      'status.storage.replication.factor': '1',
    },
    { mode: 'distributed' },
  )
}

const call = async (url: string, method: string, path: string, body?: unknown) =>
  (await ask(url, { method, path, body })).body

/**
 * Polls until the answer is as expected. After a timeout, compares the last answer, so that the
 * failure message contains it.
 */
async function eventually(
  url: string,
  path: string,
  check: (body: never) => unknown,
  expected: unknown,
): Promise<void> {
  let last: unknown
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(100)) {
    last = check((await call(url, 'GET', path)) as never)
    if (JSON.stringify(last) === JSON.stringify(expected)) return
  }
  expect(last).toEqual(expected)
}

const states = (s: { connector?: { state: string }; tasks?: { state: string }[] }) => [
  s.connector?.state,
  ...(s.tasks ?? []).map(t => t.state),
]
const offsetOf = (o: { offsets?: { offset: unknown }[] }) => o.offsets?.[0]?.offset

test('connectors, their states and their offsets move from Connect to Millrace and back', async () => {
  const file = join(dir, 'moving.txt')
  writeFileSync(file, 'one\ntwo\n')
  const config = { 'connector.class': 'FileStreamSource', topic: 'moved', file }
  const theirs = await startPeerConnect(kafka.bootstrap, { topics: 'move' })
  await call(theirs.url, 'POST', '/connectors', { name: 'running', config })
  await call(theirs.url, 'POST', '/connectors', { name: 'stopped', initial_state: 'STOPPED', config })
  await eventually(theirs.url, '/connectors/running/offsets', offsetOf, { position: 8 })
  await theirs.stop()

  const ours = await startOurs('move')
  try {
    await eventually(ours.restUrl, '/connectors/running/status', states, ['RUNNING', 'RUNNING'])
    await eventually(ours.restUrl, '/connectors/stopped/status', states, ['STOPPED'])
    expect(offsetOf((await call(ours.restUrl, 'GET', '/connectors/running/offsets')) as never)).toEqual({ position: 8 })
    appendFileSync(file, 'three\n')
    await eventually(ours.restUrl, '/connectors/running/offsets', offsetOf, { position: 14 })
    await call(ours.restUrl, 'POST', '/connectors', { name: 'made-by-us', config: { ...config, 'tasks.max': 2 } })
    await eventually(ours.restUrl, '/connectors/made-by-us/status', states, ['RUNNING', 'RUNNING'])
    await call(ours.restUrl, 'PUT', '/connectors/running/pause')
    await eventually(ours.restUrl, '/connectors/running/status', states, ['PAUSED', 'PAUSED'])
  } finally {
    await ours.close()
  }

  const again = await startPeerConnect(kafka.bootstrap, { topics: 'move' })
  try {
    expect((await call(again.url, 'GET', '/connectors')) as string[]).toHaveLength(3)
    await eventually(again.url, '/connectors/running/status', states, ['PAUSED', 'PAUSED'])
    await eventually(again.url, '/connectors/stopped/status', states, ['STOPPED'])
    await eventually(again.url, '/connectors/made-by-us/status', states, ['RUNNING', 'RUNNING'])
    expect(offsetOf((await call(again.url, 'GET', '/connectors/running/offsets')) as never)).toEqual({ position: 14 })
    expect(await call(again.url, 'GET', '/connectors/running/tasks')).toMatchObject([
      { config: { 'task.class': 'org.apache.kafka.connect.file.FileStreamSourceTask' } },
    ])
  } finally {
    await again.stop()
  }
}, 240_000)

test('offsets in the file of standalone mode move from Connect to Millrace and back', async () => {
  const file = join(dir, 'alone.txt')
  const offsets = join(dir, 'standalone.offsets')
  writeFileSync(file, 'a\nb\n')
  const config = { name: 'alone', 'connector.class': 'FileStreamSource', topic: 'alone', file }
  const theirs = await startPeerStandalone(kafka.bootstrap, offsets, [config])
  await eventually(theirs.url, '/connectors/alone/offsets', offsetOf, { position: 4 })
  await theirs.stop()

  appendFileSync(file, 'c\n')
  const ours = await startWorker(
    { ...common(), 'offset.storage.file.filename': offsets },
    { mode: 'standalone', connectorConfigs: [config] },
  )
  try {
    await eventually(ours.restUrl, '/connectors/alone/offsets', offsetOf, { position: 6 })
  } finally {
    await ours.close()
  }
  expect(readFileSync(offsets).readUInt32BE()).toBe(0xaced0005)

  const again = await startPeerStandalone(kafka.bootstrap, offsets, [config])
  try {
    await eventually(again.url, '/connectors/alone/offsets', offsetOf, { position: 6 })
    appendFileSync(file, 'd\n')
    await eventually(again.url, '/connectors/alone/offsets', offsetOf, { position: 8 })
  } finally {
    await again.stop()
  }
}, 240_000)
