/**
 * Tests faults of a data directory: a second process, missing permissions, damaged files. Nothing
 * is lost silently, and each fault causes one clear line of output.
 */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createConsumer, createProducer } from '../../core/client/index.ts'
import { eventually, Platform } from '../platform.ts'
import { random } from '../random.ts'
import { type Fixture, fixture, OtherPipeline } from './harness.ts'

const seed = Number(process.env['MILLRACE_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const rng = random(seed)
const RECORDS = 2000

let f: Fixture
afterEach(() => f?.close())

const logs = () => join(f.dir, 'data/logs')

async function fill(): Promise<void> {
  const producer = createProducer({ bootstrapServers: [f.platform.bootstrap], batchSize: 4096 })
  try {
    for (let n = 0; n < RECORDS; n += 100)
      await producer.send(
        Array.from({ length: 100 }, (_, i) => ({
          topic: 'kept',
          partition: 0,
          key: null,
          value: Buffer.from(`record ${n + i}`),
          timestamp: null,
          headers: [],
        })),
      )
  } finally {
    await producer.close()
  }
}

/** Returns the records that can be read, and the error that ended reading. */
async function read(): Promise<{ values: string[]; error: string }> {
  const consumer = createConsumer({ bootstrapServers: [f.platform.bootstrap] })
  const at = { topic: 'kept', partition: 0 }
  const values: string[] = []
  try {
    consumer.assign([at])
    const [end = 0] = await consumer.endOffsets([at])
    consumer.seekToBeginning([at])
    while ((consumer.position(at) ?? 0) < end)
      for (const batch of await consumer.poll(2000))
        for (const record of batch.records) values.push(record.value!.toString())
    return { values, error: '' }
  } catch (error) {
    return { values, error: String(error) }
  } finally {
    await consumer.close()
  }
}

async function refusal(): Promise<string> {
  f.platform.output = ''
  f.platform.launch()
  await eventually(
    () => f.platform.output.includes('millrace: '),
    () => 'it says nothing',
  )
  expect(await f.platform.stop()).not.toBe(0)
  return f.platform.output
    .split('\n')
    .filter(line => line.startsWith('millrace: '))
    .join('\n')
}

test('a second process on the same directory exits with one line of output, and the first process continues', async () => {
  f = await fixture()
  await f.platform.start()
  const otherPipeline = await new OtherPipeline(f.dir, f.platform).start()
  const second = await Platform.create(f.platform.dir)
  second.launch()
  await eventually(
    () => /millrace: /.test(second.output),
    () => 'it says nothing',
  )
  expect(await second.stop()).toBe(1)
  expect(second.output).toMatch(/in use by another broker, process \d+.*MR_BROKER_DIR_LOCKED/)
  await otherPipeline.moves()
})

test('a damaged meta.properties prevents the start, and the message contains the path of the file', async () => {
  f = await fixture()
  await f.platform.start()
  await f.platform.kill()
  const path = join(logs(), 'meta.properties')
  for (const text of [
    '',
    'garbage\u0000',
    'version=9\ncluster.id=x\nnode.id=1\n',
    'version=1\ncluster.id=x\nnode.id=many\n',
  ]) {
    writeFileSync(path, text)
    const line = await refusal()
    expect(line).toContain('meta.properties')
  }
})

test(`damaged indexes and checkpoints are recreated (seed ${seed})`, async () => {
  console.log(`MILLRACE_SEED=${seed}`)
  f = await fixture()
  await f.platform.start()
  const otherPipeline = await new OtherPipeline(f.dir, f.platform).start()
  await fill()
  for (const end of ['kill', 'stop'] as const) {
    await f.platform[end]()
    for (const name of readdirSync(logs(), { recursive: true, encoding: 'utf8' })) {
      if (
        !/\.(index|timeindex|snapshot)$|checkpoint$|partition\.metadata$/.test(name) ||
        /partition\.metadata|__cluster_metadata/.test(name)
      )
        continue
      const bytes = Buffer.from(Array.from({ length: rng.below(64) }, () => rng.below(256)))
      if (rng.below(4) === 0) rmSync(join(logs(), name))
      else writeFileSync(join(logs(), name), bytes)
    }
    f.platform.output = ''
    await f.platform.start()
    expect((await read()).values).toEqual(Array.from({ length: RECORDS }, (_, i) => `record ${i}`))
    await otherPipeline.moves()
  }
})

test('flipped bytes in a segment are never returned as records', async () => {
  f = await fixture()
  await f.platform.start()
  const otherPipeline = await new OtherPipeline(f.dir, f.platform).start()
  await fill()
  await f.platform.stop()
  const segment = join(logs(), 'kept-0', '00000000000000000000.log')
  const at = statSync(segment).size >> 1
  const file = openSync(segment, 'r+')
  writeSync(file, Buffer.from([0xde, 0xad, 0xbe, 0xef]), 0, 4, at)
  closeSync(file)
  await f.platform.start()
  const { values, error } = await read()
  expect(values).toEqual(Array.from({ length: values.length }, (_, i) => `record ${i}`))
  expect(values.length).toBeLessThan(RECORDS)
  expect(error).toMatch(/offset \d+ cannot be read/)
  await otherPipeline.moves()
})

test('a directory that cannot be read causes one clear line of output', async ({ skip }) => {
  if (process.getuid?.() !== 0) return skip('needs root to become another user')
  f = await fixture()
  await f.platform.start()
  await f.platform.stop()
  chmodSync(f.dir, 0o755)
  const bin = join(import.meta.dirname, '../../dist/cli/bin.js')
  if (!existsSync(bin)) return skip('not built')
  const run = spawnSync(
    process.execPath,
    [bin, 'start', '--data-dir', f.platform.dir, '--port', '0', '--rest-port', '0'],
    { uid: 65534, gid: 65534, encoding: 'utf8', timeout: 20_000 },
  )
  if (/EACCES/.test(run.stderr) && run.stderr.includes('node:')) return skip('this user cannot reach the program')
  expect(run.status).toBe(1)
  expect(run.stderr).toMatch(/data directory .* cannot be used/)
})
