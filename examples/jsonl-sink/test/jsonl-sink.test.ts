import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { SinkHarness, sinkConformance } from 'millrace/testing'
import { JsonlSink } from '../src/connector.ts'

const folder = () => mkdtempSync(join(tmpdir(), 'jsonl-sink-'))
const lines = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n')

test('each record becomes a line that contains its offset', async () => {
  const directory = folder()
  await using sink = new SinkHarness(JsonlSink, { config: { directory, topics: 'orders' } })
  await sink.start()
  sink.send({ key: 'a', value: { total: 3 } }, { key: 'b', value: null })
  await sink.committed()
  assert.deepEqual(lines(join(directory, 'orders-0.jsonl')), [
    '{"offset":0,"key":"a","value":{"total":3}}',
    '{"offset":1,"key":"b","value":null}',
  ])
  rmSync(directory, { recursive: true })
})

test('a last line that a crash left incomplete is written again', async () => {
  const directory = folder()
  appendFileSync(join(directory, 'orders-0.jsonl'), '{"offset":0,"key":null,"value":1}\n{"offset":1,"ke')
  await using sink = new SinkHarness(JsonlSink, { config: { directory, topics: 'orders' } })
  await sink.start()
  sink.send({ value: 1 }, { value: 2 })
  await sink.committed()
  assert.deepEqual(lines(join(directory, 'orders-0.jsonl')), [
    '{"offset":0,"key":null,"value":1}',
    '{"offset":1,"key":null,"value":2}',
  ])
  rmSync(directory, { recursive: true })
})

const conformance = sinkConformance({
  connector: JsonlSink,
  fixture: () => {
    const directory = folder()
    return {
      config: { directory },
      written: () =>
        readdirSync(directory).flatMap(name =>
          lines(join(directory, name)).flatMap(line => (line === '' ? [] : (JSON.parse(line).value?.n ?? []))),
        ),
      dispose: () => rmSync(directory, { recursive: true }),
    }
  },
  record: n => ({ key: `k${n}`, value: { n } }),
  badRecord: { value: () => 'not JSON' },
  duplicates: 'never',
  invalid: [
    { config: { directory: '' }, key: 'directory' },
    { config: { directory: '/does/not/exist' }, key: 'directory' },
  ],
})
for (const check of conformance) test(check.name, check.run)
