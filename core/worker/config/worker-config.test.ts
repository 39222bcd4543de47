import { expect, test } from 'vitest'
import { ConfigError } from '../../common/config/parse.ts'
import { createLogger, type LogEntry, setLogSink } from '../../common/log.ts'
import { clientProps, isSecretClientKey, overrideError } from './client-overrides.ts'
import { parseListener } from './rest-listener.ts'
import { checkSink } from './source-sink-keys.ts'
import { parseWorkerConfig } from './worker-config.ts'

const logger = createLogger('test.config')
const minimal = {
  'group.id': 'g',
  'key.converter': 'JsonConverter',
  'value.converter': 'JsonConverter',
  'config.storage.topic': 'c',
  'offset.storage.topic': 'o',
  'status.storage.topic': 's',
}

test("Apache's own connect-distributed.properties is accepted without a warning", () => {
  const warned: LogEntry[] = []
  setLogSink(e => void warned.push(e))
  const config = parseWorkerConfig(
    {
      ...minimal,
      'bootstrap.servers': 'localhost:9092',
      'key.converter.schemas.enable': 'true',
      'value.converter.schemas.enable': 'true',
      'offset.storage.replication.factor': '1',
      'config.storage.replication.factor': '1',
      'status.storage.replication.factor': '1',
      'offset.flush.interval.ms': '10000',
      'producer.compression.type': 'lz4',
      'security.protocol': 'PLAINTEXT',
      'plugin.path': '/usr/local/share/java,/opt/connectors,',
    },
    'distributed',
    logger,
  )
  setLogSink(null)
  expect(warned).toEqual([])
  expect(config.values['offset.flush.interval.ms']).toBe(10000)
  expect(config.values.listeners).toEqual(['http://127.0.0.1:8083'])
})

test('one error names all invalid keys', () => {
  const wrong = {
    ...minimal,
    'group.id': undefined,
    'bootstrap.servers': 'localhost',
    listeners: 'ftp://x:1',
    'offset.flush.interval.ms': 'soon',
    'offset.storage.partitions': '0',
  }
  let error: unknown
  try {
    parseWorkerConfig(wrong, 'distributed', logger)
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(ConfigError)
  expect((error as ConfigError).errors.map(e => e.key).sort()).toEqual([
    'bootstrap.servers',
    'group.id',
    'listeners',
    'offset.flush.interval.ms',
    'offset.storage.partitions',
  ])
  expect((error as ConfigError).message).toMatch(/Invalid value localhost for .*: Must be host:port/)
  expect((error as ConfigError).message).toMatch(/Invalid value ftp:\/\/x:1 for configuration listeners/)
})

test('a standalone worker requires the offset file, but not the internal topics', () => {
  const { 'key.converter': key, 'value.converter': value } = minimal
  const given = { 'key.converter': key, 'value.converter': value }
  expect(() => parseWorkerConfig(given, 'standalone', logger)).toThrow(/offset\.storage\.file\.filename/)
  const config = parseWorkerConfig({ ...given, 'offset.storage.file.filename': '/f' }, 'standalone', logger)
  expect(config.mode === 'standalone' && config.own['offset.storage.file.filename']).toBe('/f')
})

test('listeners are parsed as in Connect', () => {
  expect(parseListener('http://:8083')).toEqual({ scheme: 'http', host: '', port: 8083 })
  expect(parseListener('HTTPS://[::1]:0')).toEqual({ scheme: 'https', host: '::1', port: 0 })
  for (const text of ['http://x', 'x:1', 'http://x:99999', 'http://x:1/path']) expect(parseListener(text)).toBe(null)
})

test("connector client settings override worker client settings, which override the runtime's defaults", () => {
  const props = clientProps(
    'producer',
    { acks: 'all', 'linger.ms': '5' },
    { 'producer.linger.ms': '7', 'consumer.x': '1', 'linger.ms': '9' },
    { 'producer.override.acks': '1', 'producer.override.batch.size': '9' },
  )
  expect(props).toEqual({ acks: '1', 'linger.ms': '7', 'batch.size': '9' })
})

test('an override policy can be named by its short name or class, and rejects the settings that it does not allow', () => {
  const policy = (name: string) =>
    parseWorkerConfig({ ...minimal, 'connector.client.config.override.policy': name }, 'distributed', logger).values[
      'connector.client.config.override.policy'
    ]
  expect(policy('org.apache.kafka.connect.connector.policy.NoneConnectorClientConfigOverridePolicy')).toBe('None')
  expect(policy('Allowlist')).toBe('Allowlist')
  expect(() => policy('Some')).toThrow('Must be one of All, None, Principal, Allowlist')
  expect(overrideError('All', [], 'acks')).toBe(null)
  expect(overrideError('Principal', [], 'sasl.jaas.config')).toBe(null)
  expect(overrideError('Allowlist', ['acks'], 'acks')).toBe(null)
  expect(overrideError('None', [], 'acks')).toBe(
    "The 'None' policy does not allow 'acks' to be overridden in the connector configuration.",
  )
  expect(isSecretClientKey('ssl.key.password')).toBe(true)
  expect(isSecretClientKey('ssl.keystore.location')).toBe(false)
})

test('a topics.regex that takes exponential time is rejected and does not block the worker', () => {
  const errors = checkSink({ 'topics.regex': '(a+)+b', 'errors.deadletterqueue.topic.name': 'a'.repeat(200) })
  expect(errors).toEqual([['topics.regex', expect.stringContaining('takes too long')]])
})
