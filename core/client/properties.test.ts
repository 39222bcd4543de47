import { describe, expect, test } from 'vitest'
import type { ConfigDef, ConfigKey } from '../common/config/define.ts'
import { ConfigError } from '../common/config/parse.ts'
import type { Logger } from '../common/log.ts'
import { adminConfig } from './config/admin-keys.ts'
import { consumerConfig } from './config/consumer-keys.ts'
import { producerConfig } from './config/producer-keys.ts'
import { createConsumer } from './consumer/consumer.ts'
import { consumerSettings } from './consumer/options.ts'
import { adminSettings, commonOptions } from './options.ts'
import { producerSettings } from './producer/options.ts'
import { createProducer } from './producer/producer.ts'
import { type ClientKind, toClientOptions } from './properties.ts'
import type { AdminOptions, ConsumerOptions, ProducerOptions } from './types.ts'

const minimal = { 'bootstrap.servers': 'a:1, b:2' }
const servers = { bootstrapServers: ['a:1', 'b:2'] }

function errorsOf(f: () => unknown): string[] {
  try {
    f()
  } catch (error) {
    return (error as ConfigError).errors.map(e => e.key)
  }
  return []
}

const settings = {
  producer: (options: object) => producerSettings(options as ProducerOptions),
  consumer: (options: object) => consumerSettings(options as ConsumerOptions),
  admin: (options: object) => adminSettings(options as AdminOptions),
}
const declarations: Readonly<Record<ClientKind, ConfigDef>> = {
  producer: producerConfig,
  consumer: consumerConfig,
  admin: adminConfig,
}

/** Returns the settings of a client with these options, or the errors. */
function outcome(kind: ClientKind, options: () => object): object {
  try {
    const { common, ...own } = settings[kind](options())
    const { logger: _, clientId, ...shared } = common
    return { ...own, ...shared, clientId: clientId.replace(/-\d+$/, '') }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.errors
  }
}

/**
 * Returns values to try for a key: limits, values of other types, and the values that the validator
 * accepts.
 */
function samples(key: ConfigKey): string[] {
  const own = key.validator?.values ?? []
  const numbers = ['-2', '-1', '0', '1', '6', '4999', '5000', '70000', '2147483647', '2147483648', '1.5', '']
  if (key.type === 'BOOLEAN') return ['true', 'false', 'yes']
  if (key.type === 'LIST') return [...own, own.join(','), 'x', 'a:1,b:2', 'a:1,a:1', '']
  if (key.type === 'STRING') return [...own, ...own.map(v => v.toUpperCase()), 'x', ' y ', '']
  return numbers
}

/** Converts text to the type that a program passes as an option. */
function typed(key: ConfigKey, text: string): unknown {
  if (key.type === 'BOOLEAN') return text === 'yes' ? text : text === 'true'
  if (key.type === 'LIST') return text === '' ? [] : text.split(',')
  return key.type === 'STRING' || text === '' ? text : Number(text)
}

describe.each<ClientKind>(['producer', 'consumer', 'admin'])('properties and options of a %s', kind => {
  const keys = Object.entries(declarations[kind]).filter(([, key]) => key.option !== undefined)

  test('have the same default values, which are the declared ones', () => {
    const byProperties = outcome(kind, () => toClientOptions(kind, minimal))
    expect(outcome(kind, () => servers)).toEqual(byProperties)
    const different = keys.filter(([, key]) => {
      const shown = (byProperties as Record<string, unknown>)[key.option!]
      return JSON.stringify(shown) !== JSON.stringify(key.default)
    })
    // For these keys, the form or the name of the setting differs from that of the option.
    const converted = ['bootstrap.servers', 'client.id', 'acks', 'isolation.level', 'enable.metrics.push']
    expect(different.map(([name]) => name).filter(name => !converted.includes(name))).toEqual([])
  })

  test('give the same settings or the same errors for every key and value', () => {
    expect(keys.length).toBeGreaterThan(10)
    let errors = 0
    for (const [name, key] of keys) {
      for (const text of samples(key)) {
        const options = { ...servers, [key.option!]: typed(key, text) }
        const expected = outcome(kind, () => toClientOptions(kind, { ...minimal, [name]: text }))
        expect(
          outcome(kind, () => options),
          `${name}=${text}`,
        ).toEqual(expected)
        if (Array.isArray(expected)) errors++
      }
    }
    expect(errors).toBeGreaterThan(20)
  })

  test('every key has an option or a declared reason why it has no effect, except for security.protocol', () => {
    const rest = Object.entries(declarations[kind]).filter(([, key]) => !key.option && key.noEffect === undefined)
    expect(rest.map(([name]) => name)).toEqual(['security.protocol'])
    for (const [name, key] of Object.entries(declarations[kind])) {
      if (key.option !== undefined) expect(key.noEffect, name).toBeUndefined()
      else expect(key.noEffect ?? '.', name).toMatch(/\.$/)
    }
  })
})

test("toClientOptions converts Kafka's names and values to options", () => {
  const producer = toClientOptions('producer', {
    ...minimal,
    acks: '-1',
    'linger.ms': '7',
    'compression.type': 'zstd',
    'client.id': 'me',
    'max.block.ms': '9223372036854775807',
  })
  expect(producer).toMatchObject({
    bootstrapServers: ['a:1', 'b:2'],
    acks: '-1',
    lingerMs: 7,
    compressionType: 'zstd',
    clientId: 'me',
  })
  expect(producerSettings({ ...servers, acks: 0 }).acks).toBe(0)
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
  expect(toClientOptions({ ...minimal, acks: '1', 'group.id': 'g' })).toMatchObject({ acks: '1', groupId: 'g' })
})

test('one error names all invalid values', () => {
  const wrong = { 'bootstrap.servers': 'nonsense', acks: '2', 'linger.ms': '-1', 'request.timeout.ms': 'soon' }
  expect(errorsOf(() => toClientOptions('producer', wrong)).sort()).toEqual([
    'acks',
    'bootstrap.servers',
    'linger.ms',
    'request.timeout.ms',
  ])
  expect(errorsOf(() => toClientOptions('admin', {}))).toEqual(['bootstrap.servers'])
  expect(errorsOf(() => toClientOptions('consumer', { ...minimal, 'partition.assignment.strategy': 'best' }))).toEqual([
    'partition.assignment.strategy',
  ])
})

test.for<ClientKind>(['producer', 'consumer', 'admin'])('a %s refuses TLS and SASL', kind => {
  expect(errorsOf(() => toClientOptions(kind, { ...minimal, 'security.protocol': 'SASL_SSL' }))).toEqual([
    'security.protocol',
  ])
})

test('unknown keys and keys without an effect are logged once, without their values', () => {
  const warnings: string[] = []
  const logger = { warn: (m: string) => warnings.push(m) } as unknown as Logger
  const raw = {
    ...minimal,
    'linger.msx': 'hush',
    'key.serializer': 'x',
    'metric.reporters': '',
    'transactional.id': 'hush',
    'sasl.jaas.config': 'hush',
    'ssl.keystore.type': 'JKS',
  }
  toClientOptions('producer', raw, logger)
  toClientOptions('producer', raw, logger)
  expect(warnings).toEqual([
    "The configuration 'linger.msx' was supplied but is not known. Check its spelling.",
    "The configuration 'transactional.id' has no effect: Transactions are not supported yet.",
    "The configuration 'sasl.jaas.config' has no effect: TLS and SASL are not supported yet.",
  ])
})

test('bootstrap servers may be names, IPv4 or IPv6 addresses, with or without a protocol', () => {
  const addresses = (bootstrapServers: string[]) => commonOptions({ bootstrapServers }, 'test').bootstrap
  expect(addresses(['h:1', 'PLAINTEXT://10.0.0.1:2', '[::1]:3'])).toEqual([
    { host: 'h', port: 1 },
    { host: '10.0.0.1', port: 2 },
    { host: '::1', port: 3 },
  ])
  for (const bad of ['h', 'h:0', 'h:65536', ':1', 'h:1:2', 'a b:1'])
    expect(() => addresses([bad])).toThrow(/bootstrap\.servers: Must be host:port/)
  expect(() => addresses([])).toThrow(/'bootstrap\.servers' must not be empty/)
})

test('settings that contradict each other are rejected before a connection is opened', () => {
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

test('default values adapt to the settings that were configured', () => {
  const base = { bootstrapServers: ['a:1'] }
  expect(producerSettings({ ...base, acks: 1 }).idempotence).toBe(false)
  expect(producerSettings({ ...base, maxInFlight: 6 }).idempotence).toBe(false)
  expect(producerSettings(base).idempotence).toBe(true)
  expect(producerSettings({ ...base, requestTimeoutMs: 200_000 }).deliveryTimeoutMs).toBe(200_005)
  expect(consumerSettings({ ...base, sessionTimeoutMs: 6000 }).heartbeatIntervalMs).toBe(2000)
})

describe.each<ClientKind>(['producer', 'consumer', 'admin'])('an error of a %s', kind => {
  const prefix = `${kind}.override.`
  const wrong: Record<string, string> = { BOOLEAN: 'perhaps', INT: '1.5', SHORT: '70000', LONG: 'much', DOUBLE: 'x' }
  const checked = Object.entries(declarations[kind]).flatMap(([name, key]) => {
    const value = wrong[key.type] ?? (key.validator?.values ? '?' : undefined)
    return value === undefined ? [] : [{ name, key, value }]
  })

  test('names the key with its prefix and the value, for every key', () => {
    expect(checked.length).toBeGreaterThan(kind === 'admin' ? 10 : 25)
    for (const { name, value } of checked) {
      const raw = { ...minimal, 'group.id': 'g', [name]: value }
      const run = () => toClientOptions(kind, raw, undefined, key => (key in raw ? prefix + key : key))
      expect(errorsOf(run), name).toContain(prefix + name)
      expect(run, name).toThrow(`Invalid value ${value} for configuration ${prefix}${name}: `)
    }
  })

  test('of programmatic options names the key and the value, for every option', () => {
    for (const { name, key, value } of checked) {
      if (key.option === undefined) continue
      const run = () => settings[kind]({ ...servers, [key.option!]: value })
      expect(errorsOf(run), name).toContain(name)
      expect(run, name).toThrow(`Invalid value ${value} for configuration ${name}: `)
    }
  })
})
