import { expect, test } from 'vitest'
import type { ConfigKey } from '../../common/config/define.ts'
import { parseBrokerConfig } from './broker-config.ts'
import { brokerLayers, ConfigSource, NO_DYNAMIC, toLogConfig, topicLayers, topicValues } from './effective.ts'
import { parseListener } from './listeners.ts'
import { TOPIC_CONFIG } from './topic-config.ts'

const parse = (raw: Record<string, string>) => parseBrokerConfig(raw)

test('by default, the broker listens only on the loopback interface', () => {
  expect(parse({}).listeners).toEqual([{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9092 }])
})

test("the server.properties of Apache Kafka's quick start is valid, and its controller listener is ignored", () => {
  const config = parse({
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.bootstrap.servers': 'localhost:9093',
    listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093',
    'inter.broker.listener.name': 'PLAINTEXT',
    'advertised.listeners': 'PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093',
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map':
      'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL',
    'num.network.threads': '3',
    'log.dirs': '/tmp/kraft-combined-logs',
    'share.coordinator.state.topic.replication.factor': '1',
  })
  expect(config.listeners.map(l => l.name)).toEqual(['PLAINTEXT'])
  expect(config.advertised.get('PLAINTEXT')).toEqual({ name: 'PLAINTEXT', host: 'localhost', port: 9092 })
  expect(config.unknown).toEqual(['share.coordinator.state.topic.replication.factor'])
})

test('broker.id is an alias of node.id', () => {
  expect(parse({ 'broker.id': '7' }).values['node.id']).toBe(7)
})

test('one error names all invalid keys', () => {
  const wrong = () => parse({ 'num.partitions': '0', 'log.segment.bytes': 'x' })
  expect(wrong).toThrow(
    /num\.partitions: Value must be at least 1.*log\.segment\.bytes: Not a number.*MR_BROKER_CONFIG/,
  )
})

test.each([
  ['a malformed listener', { listeners: 'localhost:9092' }, /not of the form NAME:\/\/host:port/],
  ['TLS', { listeners: 'SSL://:9092' }, /requires TLS or SASL/],
  ['a listener without a protocol', { listeners: 'FOO://:9092' }, /FOO is not in listener\.security\.protocol\.map/],
  ['a duplicate name', { listeners: 'PLAINTEXT://:1,PLAINTEXT://:2' }, /PLAINTEXT is listed twice/],
  ['a broker without a controller', { 'process.roles': 'broker' }, /controller is missing/],
  ['several controllers', { 'controller.quorum.voters': '1@a:1,2@b:2' }, /only one controller/],
  ['a duplicate directory', { 'log.dirs': '/a,/a' }, /'log\.dirs' values must not be duplicated/],
])('%s is rejected with an error that names the problem', (_, raw, message) => {
  expect(() => parse(raw)).toThrow(message)
})

test.each([
  ['PLAINTEXT://:9092', { name: 'PLAINTEXT', host: '', port: 9092 }],
  ['internal://[::1]:0', { name: 'INTERNAL', host: '::1', port: 0 }],
  ['A://my-host.example:65535', { name: 'A', host: 'my-host.example', port: 65535 }],
])('the listener %s is parsed', (text, expected) => {
  expect(parseListener(text)).toEqual(expected)
})

test('parseListener rejects a port above 65535', () => {
  expect(() => parseListener('A://h:65536')).toThrow(TypeError)
})

test("the default of flush.ms is Kafka's largest long, printed with all digits, and means never", () => {
  const config = parse({})
  const [layer] = topicLayers(config, NO_DYNAMIC, new Map(), 'flush.ms')
  expect(layer).toMatchObject({ value: '9223372036854775807', source: ConfigSource.DEFAULT })
  expect(toLogConfig(topicValues(config, NO_DYNAMIC, new Map()), config).flushMs).toBeGreaterThan(1e15)
})

test("a topic's value has precedence over a dynamic broker value, which has precedence over server.properties", () => {
  const config = parse({ 'log.retention.hours': '2', 'log.retention.minutes': '30' })
  const ms = (own: [string, string][], dynamic: [string, string][]) =>
    topicLayers(config, { own: new Map(dynamic), default: new Map() }, new Map(own), 'retention.ms')[0]
  expect(ms([], [])).toMatchObject({ value: '1800000', source: ConfigSource.STATIC_BROKER })
  expect(ms([], [['log.retention.ms', '7']])).toMatchObject({ value: '7', source: ConfigSource.DYNAMIC_BROKER })
  expect(ms([['retention.ms', '5']], [['log.retention.ms', '7']])).toMatchObject({
    value: '5',
    source: ConfigSource.TOPIC,
  })
})

test('log.retention.hours=-1 means retention.ms=-1, which is no limit, not -3600000', () => {
  const config = parse({ 'log.retention.hours': '-1' })
  expect(topicValues(config, NO_DYNAMIC, new Map())['retention.ms']).toBe(-1)
})

test('the default value of every topic key is valid', () => {
  const values: Record<string, unknown> = topicValues(parse({}), NO_DYNAMIC, new Map())
  for (const [name, key] of Object.entries<ConfigKey>(TOPIC_CONFIG)) {
    expect(values[name], name).not.toBe(undefined)
    if (key.validator) expect(key.validator.check(values[name], name), name).toBe(null)
  }
})

test('brokerLayers returns no layer for a key that has no default and is not set', () => {
  expect(brokerLayers(parse({}), NO_DYNAMIC, 'log.retention.ms')).toEqual([])
  expect(brokerLayers(parse({ 'log.retention.ms': '9' }), NO_DYNAMIC, 'log.retention.ms')).toEqual([
    { name: 'log.retention.ms', value: '9', source: ConfigSource.STATIC_BROKER },
  ])
})
