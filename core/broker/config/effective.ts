import type { ConfigKey } from '../../common/config/define.ts'
import { parseType } from '../../common/config/parse.ts'
import type { LogConfig } from '../log/types.ts'
import { BROKER_CONFIG, type BrokerConfig } from './broker-config.ts'
import { TOPIC_CONFIG, TOPIC_SYNONYMS, type TopicConfigName, type TopicConfigValues } from './topic-config.ts'
import { configText } from './values.ts'

/**
 * The sources of a configuration value, with the ids of Kafka's
 * DescribeConfigsResponse.ConfigSource.
 */
export const ConfigSource = {
  UNKNOWN: 0,
  TOPIC: 1,
  DYNAMIC_BROKER: 2,
  DYNAMIC_DEFAULT_BROKER: 3,
  STATIC_BROKER: 4,
  DEFAULT: 5,
  GROUP: 8,
} as const

/** The value of a key from one source. In a list of sourced values, the first one applies. */
export interface SourcedValue {
  readonly name: string
  readonly value: string | null
  readonly source: number
}

/**
 * Broker settings that were changed while the broker was running: for this broker (`own`) and for
 * all brokers (`default`).
 */
export interface DynamicBrokerConfigs {
  readonly own: ReadonlyMap<string, string>
  readonly default: ReadonlyMap<string, string>
}

export const NO_DYNAMIC: DynamicBrokerConfigs = { own: new Map(), default: new Map() }

/**
 * Returns the values of a broker key from all sources. The first value applies, and the last is the
 * default.
 */
export function brokerLayers(config: BrokerConfig, dynamic: DynamicBrokerConfigs, name: string): SourcedValue[] {
  const layers: SourcedValue[] = []
  const add = (value: string | undefined, source: number) => {
    if (value !== undefined) layers.push({ name, value, source })
  }
  add(dynamic.own.get(name), ConfigSource.DYNAMIC_BROKER)
  add(dynamic.default.get(name), ConfigSource.DYNAMIC_DEFAULT_BROKER)
  add(config.given.get(name), ConfigSource.STATIC_BROKER)
  const key: ConfigKey | undefined = (BROKER_CONFIG as Record<string, ConfigKey>)[name]
  if (key && key.default !== null && key.default !== undefined)
    layers.push({ name, value: configText(parseType(key.type, key.default)), source: ConfigSource.DEFAULT })
  return layers
}

function scaled(layer: SourcedValue, factor: number): SourcedValue {
  return factor === 1 || layer.value === null
    ? layer
    : { ...layer, value: configText(Number(layer.value) < 0 ? -1 : Number(layer.value) * factor) }
}

/**
 * Returns the values of a topic key from all sources, converted to the unit of the topic key. The
 * first value applies.
 */
export function topicLayers(
  config: BrokerConfig,
  dynamic: DynamicBrokerConfigs,
  overrides: ReadonlyMap<string, string>,
  name: TopicConfigName,
): SourcedValue[] {
  const own = overrides.get(name)
  const layers: SourcedValue[] = own === undefined ? [] : [{ name, value: own, source: ConfigSource.TOPIC }]
  const synonyms = TOPIC_SYNONYMS[name]
  if (!synonyms) {
    const key: ConfigKey = TOPIC_CONFIG[name]
    layers.push({ name, value: configText(parseType(key.type, key.default)), source: ConfigSource.DEFAULT })
    return layers
  }
  // As in Kafka, a value that is set for any synonym has precedence over the defaults of all
  // synonyms.
  const all = synonyms.flatMap(s => brokerLayers(config, dynamic, s.name).map(l => scaled(l, s.factor)))
  layers.push(
    ...all.filter(l => l.source !== ConfigSource.DEFAULT),
    ...all.filter(l => l.source === ConfigSource.DEFAULT),
  )
  return layers
}

/** Returns the value that applies for each topic key. */
export function topicValues(
  config: BrokerConfig,
  dynamic: DynamicBrokerConfigs,
  overrides: ReadonlyMap<string, string>,
): TopicConfigValues {
  const values: Record<string, unknown> = {}
  for (const name of Object.keys(TOPIC_CONFIG) as TopicConfigName[]) {
    const key: ConfigKey = TOPIC_CONFIG[name]
    values[name] = parseType(key.type, topicLayers(config, dynamic, overrides, name)[0]?.value ?? key.default)
  }
  return values as TopicConfigValues
}

/** Returns the configuration of the topic's logs. */
export function toLogConfig(v: TopicConfigValues, config: BrokerConfig): LogConfig {
  return {
    segmentBytes: v['segment.bytes'],
    segmentMs: v['segment.ms'],
    segmentJitterMs: v['segment.jitter.ms'],
    segmentIndexBytes: v['segment.index.bytes'],
    indexIntervalBytes: v['index.interval.bytes'],
    retentionMs: v['retention.ms'],
    retentionBytes: v['retention.bytes'],
    cleanupPolicy: v['cleanup.policy'],
    maxMessageBytes: v['max.message.bytes'],
    messageTimestampType: v['message.timestamp.type'],
    messageTimestampBeforeMaxMs: v['message.timestamp.before.max.ms'],
    messageTimestampAfterMaxMs: v['message.timestamp.after.max.ms'],
    compressionType: v['compression.type'],
    flushMessages: v['flush.messages'],
    flushMs: v['flush.ms'],
    fileDeleteDelayMs: v['file.delete.delay.ms'],
    deleteRetentionMs: v['delete.retention.ms'],
    minCompactionLagMs: v['min.compaction.lag.ms'],
    maxCompactionLagMs: v['max.compaction.lag.ms'],
    minCleanableDirtyRatio: v['min.cleanable.dirty.ratio'],
    fsync: config.values['millrace.log.fsync'],
  }
}
