import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PeerConnect, type PeerKafka, startPeerConnect, startPeerKafka } from '../../../test/peers/servers.ts'
import { startWorker, type Worker } from '../worker.ts'
import {
  type Answer,
  absent,
  ask,
  bodies,
  difference,
  lifecycle,
  malformed,
  perform,
  type Step,
} from './test-support/contract.ts'
import { differences, errorsOf, validateStep, validations } from './test-support/validations.ts'

let kafka: PeerKafka
let connect: PeerConnect
let worker: Worker
const dir = mkdtempSync(join(tmpdir(), 'millrace-rest-'))

beforeAll(async () => {
  writeFileSync(join(dir, 'in.txt'), 'a\nb\nc\n')
  kafka = await startPeerKafka()
  connect = await startPeerConnect(kafka.bootstrap, { topics: 'theirs' })
  worker = await startWorker(
    {
      'bootstrap.servers': kafka.bootstrap,
      'group.id': 'ours',
      'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'config.storage.topic': 'ours-configs',
      'offset.storage.topic': 'ours-offsets',
      'status.storage.topic': 'ours-status',
      'config.storage.replication.factor': '1',
      'offset.storage.replication.factor': '1',
      'status.storage.replication.factor': '1',
      'offset.flush.interval.ms': '1000',
      listeners: 'http://127.0.0.1:0',
    },
    { mode: 'distributed' },
  )
})

afterAll(async () => {
  await worker?.close()
  await connect?.stop()
  await kafka?.stop()
  rmSync(dir, { recursive: true, force: true })
})

async function compare(steps: readonly Step[]): Promise<string[]> {
  const found: string[] = []
  for (const step of steps) {
    const theirs = await perform(connect.url, step)
    const ours = await perform(worker.restUrl, step)
    const d = difference(step, theirs, ours)
    if (d !== null) found.push(d)
  }
  return found
}

test('requests for missing connectors, tasks and plugins have the same answers as in Connect', async () => {
  expect(await compare(absent)).toEqual([])
})

test('invalid requests have the same answers as in Connect, except where Connect answers 500', async () => {
  expect(await compare(malformed)).toEqual([])
})

test('bodies in other encodings and null values have the same answers as in Connect', async () => {
  const found: unknown[] = []
  for (const step of bodies) {
    const [theirs, ours] = [await ask(connect.url, step), await ask(worker.restUrl, step)]
    const isValidation = theirs.status === 200 && ours.status === 200
    const differs = isValidation
      ? !isDeepStrictEqual(errorsOf(ours), errorsOf(theirs)) && { step, ours: errorsOf(ours), theirs: errorsOf(theirs) }
      : difference(step, theirs, ours)
    if (differs) found.push(differs)
  }
  expect(found).toEqual([])
})

test('requests in the lifecycle of a source and a sink have the same answers as in Connect', async () => {
  expect(await compare(lifecycle(dir))).toEqual([])
}, 240_000)

interface KeyInfo {
  definition: { name: string; documentation: string } & Record<string, unknown>
  value: { name: string } & Record<string, unknown>
}

/**
 * Returns the part of an answer that must be the same for Connect and Millrace. It contains only
 * the keys that Connect's answer has, and no documentation, versions or lists of plugins.
 */
function shape(answer: Answer, of: Answer) {
  const body = answer.body as { name: string; error_count: number; groups: string[]; configs: KeyInfo[] }
  const known = new Set((of.body as typeof body).configs.map(c => c.definition.name))
  return {
    name: body.name,
    error_count: body.error_count,
    groups: body.groups.filter(g => g !== 'Automatic Restart'),
    configs: body.configs
      .filter(c => known.has(c.definition.name))
      .map(({ definition, value }): Record<string, unknown> => {
        const versions = /version$/.test(definition.name)
        const { documentation: _, default_value, ...rest } = definition
        const { recommended_values: __, value: given, ...others } = value
        return {
          ...rest,
          default_value: versions ? typeof default_value : default_value,
          value: { ...others, value: versions ? typeof given : given },
        }
      }),
  }
}

test('validation lists the same keys as Connect, in the same order and with the same attributes and errors', async () => {
  const cases: Record<string, unknown>[] = [
    { 'connector.class': 'FileStreamSource', name: 'x', file: '/tmp/x', topic: 't' },
    { 'connector.class': 'FileStreamSource', name: 'x', topic: 't', 'tasks.max': 'x', 'value.converter': 'Nope' },
    { 'connector.class': 'FileStreamSink', name: 'x', file: '/tmp/x', topics: 't' },
    { 'connector.class': 'FileStreamSink', name: 'x' },
  ]
  for (const body of cases) {
    const step: Step = {
      method: 'PUT',
      path: `/connector-plugins/${String(body['connector.class'])}/config/validate`,
      body,
    }
    const theirs = await ask(connect.url, step)
    expect(shape(await ask(worker.restUrl, step), theirs)).toEqual(shape(theirs, theirs))
  }
})

test('1,000 configurations have the same validation errors as in Connect, except for the listed differences', async () => {
  const wrong: unknown[] = []
  for (const config of validations) {
    const step = validateStep(config)
    const theirs = errorsOf(await ask(connect.url, step))
    const ours = errorsOf(await ask(worker.restUrl, step))
    const listed = differences.find(d => d.applies(config))?.why ?? null
    if (isDeepStrictEqual(ours, theirs) !== (listed === null)) wrong.push({ config, listed, theirs, ours })
  }
  expect(wrong).toEqual([])
}, 240_000)

test.each([
  'org.apache.kafka.connect.json.JsonConverter',
  'org.apache.kafka.connect.storage.StringConverter',
  'org.apache.kafka.connect.storage.SimpleHeaderConverter',
  'org.apache.kafka.connect.converters.ByteArrayConverter',
  'org.apache.kafka.connect.converters.LongConverter',
])('%s has the same configuration keys as in Connect', async name => {
  const step: Step = { method: 'GET', path: `/connector-plugins/${name}/config` }
  const keys = (answer: Answer) =>
    (answer.body as { name: string; documentation: string }[])
      .map(({ documentation: _, ...key }) => key)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  expect(keys(await ask(worker.restUrl, step))).toEqual(keys(await ask(connect.url, step)))
})

test('the keys of transformations and predicates have the same names, groups and order as in Connect', async () => {
  const body = {
    'connector.class': 'FileStreamSource',
    name: 'x',
    topic: 't',
    transforms: 'a',
    'transforms.a.type': 'org.apache.kafka.connect.transforms.InsertField$Value',
    'transforms.a.predicate': 'p',
    predicates: 'p',
    'predicates.p.type': 'TopicNameMatches',
    'predicates.p.pattern': 'x.*',
  }
  const step: Step = { method: 'PUT', path: '/connector-plugins/FileStreamSource/config/validate', body }
  const theirs = await ask(connect.url, step)
  const names = (answer: Answer) =>
    shape(answer, theirs)
      .configs.filter(c => /^(transforms|predicates)\./.test(String(c.name)))
      .map(c => ({ name: c.name, group: c['group'], order: c['order_in_group'], required: c['required'] }))
  expect(names(await ask(worker.restUrl, step))).toEqual(names(theirs))
})

test('numbers in a configuration are stored with the same text as in Connect', async () => {
  const body =
    '{"connector.class":"FileStreamSource","topic":"t","file":"/none","a":1.10,"b":1e2,"c":12345678901234567890,"d":true}'
  const put = async (url: string) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${url}/connectors/numbers/config`, { method: 'PUT', headers, body })
    const { config } = (await answer.json()) as { config: Record<string, string> }
    await fetch(`${url}/connectors/numbers`, { method: 'DELETE' })
    return ['a', 'b', 'c', 'd'].map(key => config[key])
  }
  expect(await put(worker.restUrl)).toEqual(await put(connect.url))
})
