import { expect, test } from 'vitest'
import type { ConfigError } from '../common/config/parse.ts'
import type { Logger } from '../common/log.ts'
import { createConsumer } from './consumer/consumer.ts'
import { parseAddresses } from './options.ts'
import { createProducer } from './producer/producer.ts'
import { type ClientKind, toClientOptions } from './properties.ts'

const minimal = { 'bootstrap.servers': 'a:1, b:2' }

function errorsOf(f: () => unknown): string[] {
  try {
    f()
  } catch (error) {
    return (error as ConfigError).errors.map(e => e.key)
  }
  return []
}

test("Kafka's names become options", () => {
  const producer = toClientOptions('producer', {
    ...minimal,
    acks: 'all',
    'linger.ms': '7',
    'compression.type': 'zstd',
    'client.id': 'me',
    'max.block.ms': '9223372036854775807',
  })
  expect(producer).toMatchObject({
    bootstrapServers: ['a:1', 'b:2'],
    acks: -1,
    lingerMs: 7,
    compressionType: 'zstd',
    clientId: 'me',
  })
  const consumer = toClientOptions('consumer', {
    ...minimal,
    'group.id': 'g',
    'partition.assignment.strategy': 'org.apache.kafka.clients.consumer.CooperativeStickyAssignor,range',
    'isolation.level': 'read_committed',
    'enable.auto.commit': 'true',
  })
  expect(consumer).toMatchObject({
    groupId: 'g',
    assignors: ['cooperative-sticky', 'range'],
    isolationLevel: 'read_committed',
    autoCommit: true,
  })
  expect(toClientOptions({ ...minimal, acks: '1', 'group.id': 'g' })).toMatchObject({ acks: 1, groupId: 'g' })
})

test('every wrong value is named at once', () => {
  const wrong = { 'bootstrap.servers': 'nonsense', acks: '2', 'linger.ms': '-1', 'request.timeout.ms': 'soon' }
  expect(errorsOf(() => toClientOptions('producer', wrong)).sort()).toEqual(['acks', 'linger.ms', 'request.timeout.ms'])
  expect(errorsOf(() => toClientOptions('producer', { 'bootstrap.servers': 'nonsense', acks: '2' })).sort()).toEqual([
    'acks',
    'bootstrap.servers',
  ])
  expect(errorsOf(() => toClientOptions('admin', {}))).toEqual(['bootstrap.servers'])
  expect(errorsOf(() => toClientOptions('consumer', { ...minimal, 'partition.assignment.strategy': 'best' }))).toEqual([
    'partition.assignment.strategy',
  ])
})

test.for<ClientKind>(['producer', 'consumer', 'admin'])('a %s without TLS or SASL says so', kind => {
  expect(errorsOf(() => toClientOptions(kind, { ...minimal, 'security.protocol': 'SASL_SSL' }))).toEqual([
    'security.protocol',
  ])
})

test('unknown keys are warned of once; those that only Java needs are passed over', () => {
  const warnings: string[] = []
  const logger = { warn: (m: string) => warnings.push(m) } as unknown as Logger
  const raw = { ...minimal, 'linger.msx': '1', 'key.serializer': 'x', 'metric.reporters': '' }
  toClientOptions('producer', raw, logger)
  toClientOptions('producer', raw, logger)
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toContain('linger.msx')
})

test('addresses: names, IPv4, IPv6, with a protocol before them', () => {
  expect(parseAddresses(['h:1', 'PLAINTEXT://10.0.0.1:2', '[::1]:3'])).toEqual([
    { host: 'h', port: 1 },
    { host: '10.0.0.1', port: 2 },
    { host: '::1', port: 3 },
  ])
  for (const bad of ['h', 'h:0', 'h:65536', ':1', 'h:1:2', 'a b:1'])
    expect(() => parseAddresses([bad])).toThrow(/bootstrap\.servers/)
  expect(() => parseAddresses([])).toThrow(/No bootstrap servers/)
})

test('settings that cannot go together are refused before anything is opened', () => {
  const base = { bootstrapServers: ['a:1'] }
  expect(errorsOf(() => createProducer({ ...base, idempotence: true, acks: 1 }))).toEqual(['acks'])
  expect(errorsOf(() => createProducer({ ...base, idempotence: true, maxInFlight: 6 }))).toEqual([
    'max.in.flight.requests.per.connection',
  ])
  expect(errorsOf(() => createProducer({ ...base, deliveryTimeoutMs: 10 }))).toEqual(['delivery.timeout.ms'])
  expect(errorsOf(() => createConsumer({ ...base, heartbeatIntervalMs: 10, sessionTimeoutMs: 10 }))).toEqual([
    'heartbeat.interval.ms',
  ])
  expect(errorsOf(() => createConsumer({ ...base, autoCommit: true }))).toEqual(['enable.auto.commit'])
})
