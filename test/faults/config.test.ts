/**
 * Tests that invalid configurations of every built-in plugin are rejected before anything starts.
 * The error names the key.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Fixture, fixture } from './harness.ts'

let f: Fixture
beforeAll(async () => {
  f = await fixture()
  await f.platform.start()
})
afterAll(() => f.close())

const source = { 'connector.class': 'FileStreamSource', file: '/tmp/never', topic: 't' }
const sink = { 'connector.class': 'FileStreamSink', topics: 't' }
const es = { 'connector.class': 'ElasticsearchSinkConnector', topics: 't', 'connection.url': 'http://127.0.0.1:1' }
const pg = {
  'connector.class': 'PostgresConnector',
  'database.hostname': '127.0.0.1',
  'database.port': 1,
  'database.user': 'u',
  'database.password': 'p',
  'database.dbname': 'd',
  'topic.prefix': 'x',
}
const transform = (type: string, more: Record<string, unknown> = {}) => ({
  ...sink,
  transforms: 'a',
  'transforms.a.type': type,
  ...Object.fromEntries(Object.entries(more).map(([key, value]) => [`transforms.a.${key}`, value])),
})

const WRONG: [Record<string, unknown>, RegExp][] = [
  [{ ...source, topic: null }, /Missing required configuration "topic"/],
  [{ ...source, topic: '' }, /configuration topic/],
  [{ ...source, 'batch.size': 'x' }, /configuration batch\.size: Not a number/],
  [{ ...source, 'batch.size': 99999999999 }, /configuration batch\.size/],
  [{ ...source, 'batch.size': 1.5 }, /configuration batch\.size/],
  [{ ...source, 'tasks.max': 0 }, /configuration tasks\.max: Value must be at least 1/],
  [{ ...source, 'tasks.max': true }, /configuration tasks\.max/],
  [{ ...source, 'connector.class': 'Nope' }, /Nope.*available/],
  [{ ...sink, topics: null }, /topics/],
  [{ ...sink, 'topics.regex': 'x' }, /mutually exclusive/],
  [{ ...sink, topics: null, 'topics.regex': '(' }, /configuration topics\.regex/],
  [{ ...sink, 'value.converter': 'Nope' }, /configuration value\.converter: Class Nope could not be found/],
  [{ ...sink, 'value.converter': 'JsonConverter', 'value.converter.schemas.enable': 'maybe' }, /schemas\.enable/],
  [{ ...sink, 'header.converter': 'Nope' }, /configuration header\.converter/],
  [{ ...sink, 'errors.tolerance': 'some' }, /configuration errors\.tolerance/],
  [{ ...sink, 'errors.deadletterqueue.topic.name': 't' }, /DLQ topic .t. may not be included/],
  [transform('Nope'), /transforms\.a\.type: Class Nope/],
  [{ ...sink, transforms: 'a' }, /transforms\.a\.type/],
  [{ ...sink, transforms: 'a,a', 'transforms.a.type': 'Filter' }, /Duplicate alias/],
  [transform('RegexRouter', { regex: '(', replacement: 'x' }), /transforms\.a\.regex/],
  [transform('RegexRouter', { regex: 'x' }), /transforms\.a\.replacement/],
  [transform('InsertField$Value', { predicate: 'absent' }), /transforms\.a\.predicate/],
  [transform('MaskField$Value'), /transforms\.a\.fields/],
  [transform('HoistField$Value'), /transforms\.a\.field/],
  [
    { ...sink, predicates: 'p', 'predicates.p.type': 'TopicNameMatches', 'predicates.p.pattern': '(' },
    /predicates\.p\.pattern/,
  ],
  [{ ...es, 'connection.url': 'nonsense' }, /configuration connection\.url/],
  [{ ...es, 'batch.size': -1 }, /configuration batch\.size/],
  [{ ...es, 'behavior.on.malformed.documents': 'what' }, /behavior\.on\.malformed\.documents/],
  [{ ...pg, 'table.include.list': '(' }, /configuration table\.include\.list/],
  [{ ...pg, 'snapshot.mode': 'what' }, /configuration snapshot\.mode/],
  [{ ...pg, 'slot.name': 'Not OK' }, /configuration slot\.name/],
  [{ ...pg, 'topic.prefix': 'no good/prefix' }, /configuration topic\.prefix/],
  [{ ...pg, 'topic.prefix': null }, /configuration topic\.prefix: A value is required/],
  [pg, /MR_PG_CONNECT_FAILED/],
  [{ ...source, file: { nested: 1 } }, /"file" must be a string, a number or a boolean/],
  [{ ...source, file: ['a'] }, /"file" must be a string, a number or a boolean/],
]

test.each(WRONG)('POST and PUT reject %j with the error %s, and nothing is created', async (config, message) => {
  const answers = [
    await f.platform.rest('POST', '/connectors', { name: 'wrong', config }),
    await f.platform.rest('PUT', '/connectors/wrong/config', config),
  ]
  for (const { status, body } of answers) {
    expect([status, (body as { message: string }).message]).toEqual([400, expect.stringMatching(message)])
    expect((body as { error_code: number }).error_code).toBe(400)
  }
  expect((await f.platform.rest('GET', '/connectors')).body).toEqual([])
})
