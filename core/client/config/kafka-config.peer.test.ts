import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ConfigDef, ConfigKey } from '../../common/config/define.ts'
import { validateConfig } from '../../common/config/parse.ts'
import { hasJava, kafkaLibsOrSkip, runJava } from '../../protocol/test-support/jars.ts'
import { adminConfig } from './admin-keys.ts'
import { consumerConfig } from './consumer-keys.ts'
import { producerConfig } from './producer-keys.ts'

const JAVA = join(import.meta.dirname, '../test-support/ConfigDefs.java')
const libs = kafkaLibsOrSkip()
const kinds: Readonly<Record<string, ConfigDef>> = {
  producer: producerConfig,
  consumer: consumerConfig,
  admin: adminConfig,
}

/** Deliberate differences from Kafka's declarations: docs/compatibility.md names them. */
const DIFFERENT_DEFAULTS: Readonly<Record<string, string>> = {
  'bootstrap.servers': 'An admin client needs brokers, because it cannot use bootstrap.controllers.',
  'enable.auto.commit': 'Offsets are committed when the application asks for it.',
  'partition.assignment.strategy': 'The same assignors, by short name.',
  'key.serializer': 'Java only.',
  'value.serializer': 'Java only.',
  'key.deserializer': 'Java only.',
  'value.deserializer': 'Java only.',
}
/** Keys of which more values are rejected at once, or other values are accepted. */
const OTHER_CHECKS = new Set([
  'bootstrap.servers', // must be host:port, which Kafka checks later
  'security.protocol', // only PLAINTEXT is supported
  'auto.offset.reset', // by_duration is not supported
  'partition.assignment.strategy', // only the known assignors
  'connections.max.idle.ms', // at least -1
  'socket.connection.setup.timeout.ms', // at least 1
  'session.timeout.ms', // at least 1
  'heartbeat.interval.ms', // at least 1
  'share.acknowledgement.mode', // the same values, in other words
  'share.acquire.mode',
])

const encode = (text: string) => Buffer.from(text).toString('base64')
const decode = (line: string) => (line === '' ? [] : line.split('\t').map(f => Buffer.from(f, 'base64').toString()))
const shown = (value: ConfigKey['default']) =>
  value === undefined ? 'REQUIRED' : value === null ? 'NULL' : `=${Array.isArray(value) ? value.join(',') : value}`

const SAMPLES: Readonly<Record<string, readonly string[]>> = {
  BOOLEAN: ['true', 'FALSE', 'yes', ''],
  INT: ['-3', '-1', '0', '1', '4999', '86401', '2147483648', 'x', ' 7 ', '1.5', ''],
  SHORT: ['-1', '0', '901', '32768', 'x'],
  LONG: ['-1', '0', '4999', '9223372036854775808', 'x'],
  DOUBLE: ['-0.1', '0', '0.3', '2', 'x', ''],
  STRING: ['', ' ', 'x', 'ALL', 'ES256', 'none', 'None', 'classic', 'SSL'],
  LIST: ['', 'x', 'x,x', 'x,,y', ' a , b '],
  PASSWORD: ['', 'secret'],
  CLASS: [],
}

describe.skipIf(!libs || !hasJava())("the settings of clients are Apache Kafka's", () => {
  const names = Object.keys(kinds)
  const answers = libs
    ? runJava(
        libs,
        JAVA,
        [],
        names.map(kind => `keys\t${kind}`),
      ).map(decode)
    : []

  test.each(names.map((kind, i) => [kind, answers[i]!] as const))(
    '%s: names, types, defaults, importance',
    (kind, flat) => {
      const theirs = new Map<string, string[]>()
      for (let i = 0; i < flat.length; i += 4) theirs.set(flat[i]!, flat.slice(i + 1, i + 4))
      const ours = Object.entries(kinds[kind]!).map(([name, key]) => [
        name,
        key.type,
        shown(key.default),
        key.importance,
      ])
      expect(theirs.size).toBeGreaterThan(80)
      expect(ours.map(([name]) => name!).sort()).toEqual([...theirs.keys()].sort())
      for (const [name, type, value, importance] of ours) {
        const [theirType, theirDefault, theirImportance] = theirs.get(name!)!
        expect([type, importance], name).toEqual([theirType, theirImportance])
        if (!(name! in DIFFERENT_DEFAULTS)) expect(value, name).toBe(theirDefault === 'NULL' ? 'NULL' : theirDefault)
      }
    },
  )

  test('valid and invalid values get the same errors', () => {
    const cases = names.flatMap(kind =>
      Object.entries(kinds[kind]!)
        .filter(([name]) => !OTHER_CHECKS.has(name))
        .flatMap(([name, key]) => {
          const values = [...SAMPLES[key.type]!, ...(key.validator?.values ?? []).flatMap(v => [v, v.toUpperCase()])]
          return [...new Set(values)].map(value => ({ kind, name, value }))
        }),
    )
    expect(cases.length).toBeGreaterThan(1000)
    const lines = cases.map(c => `check\t${c.kind}\t${c.name}\t${encode(c.value)}`)
    const theirs = runJava(libs!, JAVA, [], lines).map(decode)
    const different = cases.flatMap(({ kind, name, value }, i) => {
      const ours = validateConfig(kinds[kind]!, { [name]: value }).find(v => v.name === name)!.errors
      return JSON.stringify(ours) === JSON.stringify(theirs[i] ?? [])
        ? []
        : [{ kind, name, value, ours, theirs: theirs[i] }]
    })
    expect(different).toEqual([])
  })
})
