/** Tests files and folders that disappear and reappear while connectors use them. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../platform.ts'
import { type Fixture, fixture, OtherPipeline, recovered, statusSays } from './harness.ts'

let f: Fixture
let otherPipeline: OtherPipeline
beforeAll(async () => {
  f = await fixture()
  await f.platform.start()
  otherPipeline = await new OtherPipeline(f.dir, f.platform).start()
})
afterAll(() => f.close())

const plain = { 'value.converter': 'org.apache.kafka.connect.storage.StringConverter' }
const sink = (topic: string, file: string) => ({
  'connector.class': 'FileStreamSink',
  topics: topic,
  file,
  ...plain,
  'consumer.override.auto.offset.reset': 'earliest',
})

async function contains(path: string, wanted: readonly string[]): Promise<void> {
  const lines = () => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [])
  await eventually(
    () => wanted.every(line => lines().includes(line)),
    () => `${path} has ${lines()}, not ${wanted}: ${f.platform.output.slice(-2000)}`,
    30_000,
  )
  expect(lines()).toEqual(wanted)
}

test('a source file that appears, disappears and reappears is read completely, and the status names what is missing', async () => {
  const file = join(f.dir, 'vanishing.in')
  const out = join(f.dir, 'vanishing.out')
  await f.platform.create('vanishing', { 'connector.class': 'FileStreamSource', file, topic: 'vanishing', ...plain })
  await statusSays(f.platform, 'vanishing', 'RUNNING', /vanishing\.in does not exist/)
  await f.platform.create('vanishing-sink', sink('vanishing', out))
  writeFileSync(file, 'one\n')
  await contains(out, ['one'])
  await recovered(f.platform, 'vanishing')
  rmSync(file)
  await otherPipeline.moves()
  writeFileSync(file, 'two\nthree\n')
  await contains(out, ['one', 'two', 'three'])
  // The file is rotated like a log file. Lines that were written after the last poll are still
  // read.
  appendFileSync(file, 'four\n')
  renameSync(file, `${file}.1`)
  writeFileSync(file, 'five\n')
  await contains(out, ['one', 'two', 'three', 'four', 'five'])
  await recovered(f.platform, 'vanishing')
})

test('a sink whose folder disappears reports this, and writes every record once the folder is back', async () => {
  const folder = join(f.dir, 'folder')
  const out = join(folder, 'out')
  const file = join(f.dir, 'folder.in')
  mkdirSync(folder)
  writeFileSync(file, 'one\n')
  await f.platform.create('folder', { 'connector.class': 'FileStreamSource', file, topic: 'folder', ...plain })
  await f.platform.create('folder-sink', sink('folder', out))
  await contains(out, ['one'])
  renameSync(folder, `${folder}.away`)
  await f.platform.rest('POST', '/connectors/folder-sink/restart?includeTasks=true')
  appendFileSync(file, 'two\n')
  await eventually(
    async () => /folder/.test(JSON.stringify((await f.platform.status('folder-sink')).tasks[0]?.trace ?? '')),
    () => `nothing is said: ${f.platform.output.slice(-2000)}`,
  )
  await otherPipeline.moves()
  renameSync(`${folder}.away`, folder)
  await f.platform.rest('POST', '/connectors/folder-sink/restart?includeTasks=true&onlyFailed=true')
  await contains(out, ['one', 'two'])
  await recovered(f.platform, 'folder-sink')
})

test('source and sink report a folder in place of the file', async () => {
  const folder = join(f.dir, 'a-folder')
  mkdirSync(folder)
  for (const [name, config] of [
    ['reads-folder', { 'connector.class': 'FileStreamSource', file: folder, topic: 'folders', ...plain }],
    ['writes-folder', sink('otherPipeline', folder)],
  ] as const) {
    const { status, body } = await f.platform.rest('POST', '/connectors', { name, config })
    if (status === 400) {
      expect(JSON.stringify(body)).toContain('a-folder')
      continue
    }
    await eventually(
      async () => /a-folder/.test((await f.platform.status(name)).tasks?.[0]?.trace ?? ''),
      () => `nothing is said of ${name}: ${f.platform.output.slice(-2000)}`,
    )
    await f.platform.rest('DELETE', `/connectors/${name}`)
  }
  await otherPipeline.moves()
})
