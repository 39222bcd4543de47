import { type ConfigKey, type ConfigType, documentationOf } from '../../common/config/define.ts'
import { parseType } from '../../common/config/parse.ts'
import { BROKER_CONFIG } from '../config/broker-config.ts'
import { DYNAMIC_BROKER_KEYS, dynamicConfigs } from '../config/dynamic.ts'
import {
  brokerLayers,
  ConfigSource,
  type DynamicBrokerConfigs,
  type SourcedValue,
  topicLayers,
} from '../config/effective.ts'
import { GROUP_CONFIG, groupSynonym } from '../config/group-config.ts'
import { TOPIC_CONFIG, TOPIC_SYNONYMS, type TopicConfigName } from '../config/topic-config.ts'
import { configText } from '../config/values.ts'
import type { BrokerServices } from './handler.ts'

/** A key of a resource, as DescribeConfigs and CreateTopics return it. */
export interface ConfigEntry {
  readonly name: string
  readonly value: string | null
  readonly source: number
  readonly readOnly: boolean
  readonly isSensitive: boolean
  readonly type: number
  readonly documentation: string
  /**
   * The values of the key in all sources that set it. The first value applies. The name and the
   * unit of the key can differ between sources.
   */
  readonly synonyms: readonly SourcedValue[]
}

/** The numbers of the types in DescribeConfigsResponse.ConfigType. */
const TYPES: Readonly<Record<ConfigType, number>> = {
  BOOLEAN: 1,
  STRING: 2,
  INT: 3,
  SHORT: 4,
  LONG: 5,
  DOUBLE: 6,
  LIST: 7,
  CLASS: 8,
  PASSWORD: 9,
}

const MIN_INSYNC = 'min.insync.replicas'

/**
 * Returns the broker configs that were set through the API. As in Kafka with eligible leader
 * replicas (the default), min.insync.replicas always has a cluster-wide value. Initially this is
 * the broker's own value.
 */
function dynamicIn(broker: BrokerServices): DynamicBrokerConfigs {
  const set = dynamicConfigs(broker.image(), broker.nodeId)
  if (set.default.has(MIN_INSYNC)) return set
  return { ...set, default: new Map([...set.default, [MIN_INSYNC, String(broker.config.values[MIN_INSYNC])]]) }
}

/** Returns all keys of a topic that has these overrides. */
export function topicConfigEntries(broker: BrokerServices, overrides: ReadonlyMap<string, string>): ConfigEntry[] {
  const dynamic = dynamicIn(broker)
  return (Object.keys(TOPIC_CONFIG) as TopicConfigName[]).map(name => {
    const key: ConfigKey = TOPIC_CONFIG[name]
    const effective = topicLayers(broker.config, dynamic, overrides, name)[0]!
    const set = overrides.get(name)
    const own = set === undefined ? undefined : configText(parseType(key.type, set))
    const brokerNames = TOPIC_SYNONYMS[name]?.map(s => s.name) ?? []
    const layers = brokerNames.flatMap(n => brokerLayers(broker.config, dynamic, n))
    const synonyms = [
      ...(own === undefined ? [] : [{ name, value: own, source: ConfigSource.TOPIC }]),
      ...layers.filter(l => l.source !== ConfigSource.DEFAULT),
      ...layers.filter(l => l.source === ConfigSource.DEFAULT),
    ]
    return {
      name,
      value: own ?? effective.value,
      source: effective.source,
      readOnly: false,
      isSensitive: false,
      type: TYPES[key.type],
      documentation: documentationOf(key),
      synonyms,
    }
  })
}

/**
 * For each broker key, the other keys that apply if this key is not set. Keys with finer units come
 * first. Source: Kafka's DynamicBrokerConfig.
 */
const FALLBACKS: Readonly<Record<string, readonly string[]>> = {
  'log.retention.ms': ['log.retention.minutes', 'log.retention.hours'],
  'log.retention.minutes': ['log.retention.hours'],
  'log.roll.ms': ['log.roll.hours'],
  'log.roll.jitter.ms': ['log.roll.jitter.hours'],
  'log.flush.interval.ms': ['log.flush.scheduler.interval.ms'],
}

function brokerEntry(broker: BrokerServices, name: string, key: ConfigKey): ConfigEntry {
  const dynamic = dynamicIn(broker)
  const layers = brokerLayers(broker.config, dynamic, name)
  const fallbacks = (FALLBACKS[name] ?? []).flatMap(n => brokerLayers(broker.config, dynamic, n))
  const sensitive = key.type === 'PASSWORD'
  return {
    name,
    value: sensitive ? null : (layers[0]?.value ?? null),
    source: layers[0]?.source ?? ConfigSource.DEFAULT,
    readOnly: !DYNAMIC_BROKER_KEYS.has(name),
    isSensitive: sensitive,
    type: TYPES[key.type],
    documentation: documentationOf(key),
    synonyms: [...layers, ...fallbacks].map(l => (sensitive ? { ...l, value: null } : l)),
  }
}

/**
 * Returns an entry for a key that is not declared. As in Kafka, its value is hidden, because it may
 * be a plugin's secret.
 */
function undeclared(name: string, source: number): ConfigEntry {
  const synonyms = [{ name, value: null, source }]
  return { name, value: null, source, readOnly: true, isSensitive: true, type: 0, documentation: '', synonyms }
}

const KEYS: Readonly<Record<string, ConfigKey>> = BROKER_CONFIG

/** Returns all keys of this broker. */
export function brokerConfigEntries(broker: BrokerServices): ConfigEntry[] {
  const dynamic = dynamicIn(broker)
  const declared = Object.entries(KEYS).filter(([, key]) => !key.internal)
  const others = new Set([...dynamic.own.keys(), ...dynamic.default.keys()].filter(n => !(n in KEYS)))
  return [
    ...declared.map(([name, key]) => brokerEntry(broker, name, key)),
    ...[...others].map(n =>
      undeclared(n, dynamic.own.has(n) ? ConfigSource.DYNAMIC_BROKER : ConfigSource.DYNAMIC_DEFAULT_BROKER),
    ),
  ]
}

/** Returns the values that were set through the API for all brokers. */
export function defaultBrokerEntries(broker: BrokerServices): ConfigEntry[] {
  const dynamic = dynamicIn(broker).default
  return [...dynamic].map(([name, value]) => {
    const source = ConfigSource.DYNAMIC_DEFAULT_BROKER
    const key = KEYS[name]
    if (!key) return undeclared(name, source)
    return { ...brokerEntry(broker, name, key), value, source, synonyms: [{ name, value, source }] }
  })
}

/** Returns all keys of a group, with the values that were set for the group. */
export function groupConfigEntries(set: ReadonlyMap<string, string>): ConfigEntry[] {
  return Object.entries(GROUP_CONFIG as Record<string, ConfigKey>).map(([name, key]) => {
    const byDefault = { name: groupSynonym(name), value: configText(key.default), source: ConfigSource.DEFAULT }
    const text = set.get(name)
    const own = text === undefined ? undefined : configText(parseType(key.type, text))
    return {
      name,
      value: own ?? byDefault.value,
      source: own === undefined ? ConfigSource.DEFAULT : ConfigSource.GROUP,
      readOnly: false,
      isSensitive: false,
      type: TYPES[key.type],
      documentation: documentationOf(key),
      synonyms: own === undefined ? [byDefault] : [{ name, value: own, source: ConfigSource.GROUP }, byDefault],
    }
  })
}
