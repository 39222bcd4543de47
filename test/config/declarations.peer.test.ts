import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BROKER_CONFIG } from '../../core/broker/config/broker-config.ts'
import { GROUP_CONFIG } from '../../core/broker/config/group-config.ts'
import { TOPIC_CONFIG } from '../../core/broker/config/topic-config.ts'
import { adminConfig } from '../../core/client/config/admin-keys.ts'
import { consumerConfig } from '../../core/client/config/consumer-keys.ts'
import { producerConfig } from '../../core/client/config/producer-keys.ts'
import type { ConfigDef, ConfigKey } from '../../core/common/config/define.ts'
import { validateConfig } from '../../core/common/config/parse.ts'
import { hasJava, kafkaLibsOrSkip, runJava } from '../../core/protocol/test-support/jars.ts'
import { commonKeys, standaloneKeys } from '../../core/worker/config/common-keys.ts'
import { commonConnectorKeys } from '../../core/worker/config/connector-keys.ts'
import { distributedKeys } from '../../core/worker/config/distributed-keys.ts'
import { restKeys } from '../../core/worker/config/rest-keys.ts'
import { sinkKeys, sourceKeys } from '../../core/worker/config/source-sink-keys.ts'
import { DIFFERENCES, OTHER_CHECKS } from './differences.ts'

const JAVA = join(import.meta.dirname, 'ConfigDefs.java')
const libs = kafkaLibsOrSkip()

interface Case {
  /** The class that declares the keys in Apache Kafka or Connect. */
  readonly java: string
  readonly ours: ConfigDef
  /** Whether every key of the Java class must be declared here. */
  readonly isComplete: boolean
}

const worker = { ...commonKeys, ...restKeys }
const cases: Readonly<Record<string, Case>> = {
  producer: { java: 'org.apache.kafka.clients.producer.ProducerConfig', ours: producerConfig, isComplete: true },
  consumer: { java: 'org.apache.kafka.clients.consumer.ConsumerConfig', ours: consumerConfig, isComplete: true },
  admin: { java: 'org.apache.kafka.clients.admin.AdminClientConfig', ours: adminConfig, isComplete: true },
  broker: { java: 'org.apache.kafka.server.config.AbstractKafkaConfig', ours: BROKER_CONFIG, isComplete: false },
  topic: { java: 'org.apache.kafka.storage.internals.log.LogConfig', ours: TOPIC_CONFIG, isComplete: true },
  group: { java: 'org.apache.kafka.coordinator.group.GroupConfig', ours: GROUP_CONFIG, isComplete: true },
  'distributed worker': {
    java: 'org.apache.kafka.connect.runtime.distributed.DistributedConfig',
    ours: { ...worker, ...distributedKeys },
    isComplete: true,
  },
  'standalone worker': {
    java: 'org.apache.kafka.connect.runtime.standalone.StandaloneConfig',
    ours: { ...worker, ...standaloneKeys },
    isComplete: true,
  },
  source: {
    java: 'org.apache.kafka.connect.runtime.SourceConnectorConfig',
    ours: { ...commonConnectorKeys(), ...sourceKeys },
    isComplete: true,
  },
  sink: {
    java: 'org.apache.kafka.connect.runtime.SinkConnectorConfig',
    ours: { ...commonConnectorKeys(), ...sinkKeys },
    isComplete: true,
  },
}

const encode = (text: string) => Buffer.from(text).toString('base64')
const decode = (line: string) => (line === '' ? [] : line.split('\t').map(f => Buffer.from(f, 'base64').toString()))

function shown(key: ConfigKey): string {
  const value = key.default
  if (value === undefined) return 'REQUIRED'
  if (value === null) return 'NULL'
  if (value === 2 ** 63) return '=9223372036854775807'
  if (value === Number.MAX_VALUE) return '=1.7976931348623157E308'
  return `=${Array.isArray(value) ? value.join(',') : value}`
}

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

interface Theirs {
  readonly type: string
  readonly default: string
  readonly importance: string
}

describe.skipIf(!libs || !hasJava())("declarations compared with Apache's ConfigDefs", () => {
  const names = Object.keys(cases)
  const ask = (lines: readonly string[]) => {
    const answers = runJava(libs!, JAVA, [], lines).map(decode)
    return lines.map((_, i) => answers[i] ?? [])
  }
  const flat = libs ? ask(names.map(name => `keys\t${cases[name]!.java}`)) : []
  const theirs = new Map(
    names.map((name, at) => {
      const keys = new Map<string, Theirs>()
      const list = flat[at] ?? []
      for (let i = 0; i < list.length; i += 4)
        keys.set(list[i]!, { type: list[i + 1]!, default: list[i + 2]!, importance: list[i + 3]! })
      return [name, keys]
    }),
  )

  test.each(names)('%s: names, types, defaults and importance are the same', name => {
    const { ours, isComplete } = cases[name]!
    const declared = theirs.get(name)!
    expect(declared.size).toBeGreaterThan(10)
    const different = Object.entries(ours).flatMap(([key, k]) => {
      const other = declared.get(key)
      if (!other) return [`${name} ${key}: only here`]
      const wanted = `${other.type} ${other.default} ${other.importance}`
      const found = `${k.type} ${shown(k)} ${k.importance}`
      return found === wanted ? [] : [`${name} ${key}: ${found} instead of ${wanted}`]
    })
    // In Java, the declaration of a worker contains settings of its clients. Here they are declared
    // with the clients.
    const known = name.endsWith(' worker') ? { ...adminConfig, ...ours } : ours
    const missing = isComplete ? [...declared.keys()].filter(key => !(key in known)) : []
    const all = [...different, ...missing.map(key => `${name} ${key}: missing`)]
    expect(all.filter(line => !DIFFERENCES.some(d => d.test(line)))).toEqual([])
  })

  test('valid and invalid values get the same errors as in Kafka and Connect', () => {
    const samples = names.flatMap(name =>
      Object.entries(cases[name]!.ours)
        .filter(([key]) => theirs.get(name)!.has(key) && !OTHER_CHECKS.has(key))
        .flatMap(([key, k]) => {
          const values = [...SAMPLES[k.type]!, ...(k.validator?.values ?? []).flatMap(v => [v, v.toUpperCase()])]
          return [...new Set(values)].map(value => ({ name, key, value }))
        }),
    )
    expect(samples.length).toBeGreaterThan(3000)
    const expected = ask(samples.map(s => `check\t${cases[s.name]!.java}\t${s.key}\t${encode(s.value)}`))
    const different = samples.flatMap(({ name, key, value }, i) => {
      if (expected[i]![0] === '!') return []
      const found = validateConfig(cases[name]!.ours, { [key]: value }).find(v => v.name === key)!.errors
      return JSON.stringify(found) === JSON.stringify(expected[i])
        ? []
        : [{ name, key, value, found, expected: expected[i] }]
    })
    expect(different).toEqual([])
  })
})
