import { type ConfigValues, defineConfig, type Validator } from '../../common/config/define.ts'
import { key } from '../../common/config/key.ts'
import { distinctItems, oneOf, range, rangeOr } from '../../common/config/validators.ts'
import { LONG_MAX } from './values.ts'

const NOT_REPLICATED = 'This version has one broker, so nothing is replicated.'
const NO_TIERED_STORAGE = 'Tiered storage is not supported yet.'
const CODEC_LEVEL = 'Each codec uses its default level.'

/** Checks a list of throttled replicas: `*`, or `partition:broker` pairs. */
const throttledReplicas: Validator = {
  describe: '[partitionId]:[brokerId],[partitionId]:[brokerId],...',
  check(value, name) {
    const items = (value as string[] | null) ?? []
    const fine = items.length === 0 || (items.length === 1 && items[0] === '*') || items.every(i => /^\d+:\d+$/.test(i))
    if (fine) return null
    return `${name} must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...`
  },
}

/**
 * All configuration keys of a topic. Names, types, defaults and limits are those of Kafka 4.3's
 * LogConfig.
 */
export const TOPIC_CONFIG = defineConfig({
  'cleanup.policy': key.list({
    default: 'delete',
    validator: distinctItems({ allowEmpty: true, of: ['compact', 'delete'] }),
    importance: 'MEDIUM',
    documentation:
      'What happens to old segments. delete: they are deleted by age or size (retention.ms, retention.bytes). compact: only the last record of each key is kept. You can set both, separated by a comma.',
  }),
  'compression.gzip.level': key.int({
    default: -1,
    validator: rangeOr(-1, 1, 9),
    importance: 'MEDIUM',
    noEffect: CODEC_LEVEL,
    documentation: 'The compression level for compression.type=gzip. -1 is the default of the codec.',
  }),
  'compression.lz4.level': key.int({
    default: 9,
    min: 1,
    max: 17,
    importance: 'MEDIUM',
    noEffect: CODEC_LEVEL,
    documentation: 'The compression level for compression.type=lz4.',
  }),
  'compression.type': key.string({
    default: 'producer',
    validator: oneOf(['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer']),
    importance: 'MEDIUM',
    documentation:
      'How record batches are compressed in the log. producer: as the producer sent them, which costs the broker no CPU time. uncompressed: without compression. Otherwise the broker recompresses the batches with this codec.',
  }),
  'compression.zstd.level': key.int({
    default: 3,
    min: -131072,
    max: 22,
    importance: 'MEDIUM',
    noEffect: CODEC_LEVEL,
    documentation: 'The compression level for compression.type=zstd.',
  }),
  'delete.retention.ms': key.long({
    default: 86400000,
    min: 0,
    importance: 'MEDIUM',
    documentation:
      'How long a compacted topic keeps tombstones (records with a null value), in milliseconds. A consumer that reads from the start must reach the end within this time, or it may miss that a key was deleted.',
  }),
  'file.delete.delay.ms': key.long({
    default: 60000,
    min: 0,
    importance: 'MEDIUM',
    documentation: 'The delay between deleting a segment and removing its files from disk, in milliseconds.',
  }),
  'flush.messages': key.long({
    default: LONG_MAX,
    min: 1,
    importance: 'MEDIUM',
    documentation:
      'The broker forces data to disk (fsync) after this many records. By default the operating system decides when to write. Prefer millrace.log.fsync=group if acknowledged records must survive a power failure.',
  }),
  'flush.ms': key.long({
    default: LONG_MAX,
    min: 0,
    importance: 'MEDIUM',
    documentation:
      'The longest time before the broker forces written data to disk (fsync), in milliseconds. By default the operating system decides when to write.',
  }),
  'follower.replication.throttled.replicas': key.list({
    default: '',
    validator: throttledReplicas,
    importance: 'MEDIUM',
    noEffect: NOT_REPLICATED,
    documentation: 'The replicas whose replication is throttled on the follower, or * for all.',
  }),
  'index.interval.bytes': key.int({
    default: 4096,
    min: 0,
    importance: 'MEDIUM',
    documentation:
      'The number of bytes of log between two entries of the offset index. A smaller interval makes the index larger and lookups more exact. You rarely need to change it.',
  }),
  'leader.replication.throttled.replicas': key.list({
    default: '',
    validator: throttledReplicas,
    importance: 'MEDIUM',
    noEffect: NOT_REPLICATED,
    documentation: 'The replicas whose replication is throttled on the leader, or * for all.',
  }),
  'local.retention.bytes': key.long({
    default: -2,
    min: -2,
    importance: 'MEDIUM',
    noEffect: NO_TIERED_STORAGE,
    documentation:
      'With tiered storage, the maximum size of the segments of a partition that are kept on the local disk, in bytes. -2 means retention.bytes.',
  }),
  'local.retention.ms': key.long({
    default: -2,
    min: -2,
    importance: 'MEDIUM',
    noEffect: NO_TIERED_STORAGE,
    documentation:
      'With tiered storage, how long segments are kept on the local disk, in milliseconds. -2 means retention.ms.',
  }),
  'max.compaction.lag.ms': key.long({
    default: LONG_MAX,
    min: 1,
    importance: 'MEDIUM',
    documentation:
      'The longest time that a record remains uncompacted in a compacted topic, in milliseconds. Set it if old values must disappear by a deadline.',
  }),
  'max.message.bytes': key.int({
    default: 1048588,
    min: 0,
    importance: 'MEDIUM',
    documentation:
      'The largest record batch that the broker accepts, in bytes, after compression. Increase it together with max.request.size of the producers.',
  }),
  'message.timestamp.after.max.ms': key.long({
    default: 3600000,
    min: 0,
    importance: 'MEDIUM',
    documentation:
      'How far a record timestamp may be ahead of the clock of the broker, in milliseconds. The broker rejects later timestamps. Applies to message.timestamp.type=CreateTime.',
  }),
  'message.timestamp.before.max.ms': key.long({
    default: LONG_MAX,
    min: 0,
    importance: 'MEDIUM',
    documentation:
      'How far a record timestamp may be behind the clock of the broker, in milliseconds. The broker rejects earlier timestamps. Applies to message.timestamp.type=CreateTime.',
  }),
  'message.timestamp.type': key.string({
    default: 'CreateTime',
    validator: oneOf(['CreateTime', 'LogAppendTime']),
    importance: 'MEDIUM',
    documentation:
      'The timestamp of records. CreateTime: the time that the producer set. LogAppendTime: the time at which the broker received the batch.',
  }),
  'min.cleanable.dirty.ratio': key.double({
    default: 0.5,
    validator: range(0, 1),
    importance: 'MEDIUM',
    documentation:
      'The broker compacts a log when this fraction of it is not yet compacted. A lower ratio saves disk space and costs more I/O.',
  }),
  'min.compaction.lag.ms': key.long({
    default: 0,
    min: 0,
    importance: 'MEDIUM',
    documentation: 'The time for which a new record is protected from compaction, in milliseconds.',
  }),
  'min.insync.replicas': key.int({
    default: 1,
    min: 1,
    importance: 'MEDIUM',
    noEffect: NOT_REPLICATED,
    documentation:
      'The number of replicas that must be in sync before the broker accepts a write with acks=all. As in Kafka, a value above the number of replicas has the same effect as the number of replicas.',
  }),
  preallocate: key.boolean({
    default: false,
    importance: 'MEDIUM',
    noEffect: 'A segment file grows as records arrive.',
    documentation: 'Whether the broker reserves disk space for a whole segment when it creates the file.',
  }),
  'remote.log.copy.disable': key.boolean({
    default: false,
    importance: 'MEDIUM',
    noEffect: NO_TIERED_STORAGE,
    documentation: 'Whether the broker stops copying segments to tiered storage.',
  }),
  'remote.log.delete.on.disable': key.boolean({
    default: false,
    importance: 'MEDIUM',
    noEffect: NO_TIERED_STORAGE,
    documentation:
      "Whether the topic's data in tiered storage is deleted when tiered storage is turned off for the topic.",
  }),
  'remote.storage.enable': key.boolean({
    default: false,
    importance: 'MEDIUM',
    documentation: 'Whether the topic uses tiered storage. Only false is supported. The broker rejects true.',
  }),
  'retention.bytes': key.long({
    default: -1,
    importance: 'MEDIUM',
    documentation:
      'The size of a partition above which the broker deletes old segments, in bytes. Applies to cleanup.policy=delete. -1 means no limit.',
  }),
  'retention.ms': key.long({
    default: 604800000,
    min: -1,
    importance: 'MEDIUM',
    documentation:
      'How long records are kept, in milliseconds. Older segments are deleted. Applies to cleanup.policy=delete. -1 keeps records forever. The default is seven days.',
  }),
  'segment.bytes': key.int({
    default: 1073741824,
    min: 1048576,
    importance: 'MEDIUM',
    documentation:
      'The maximum size of a segment file, in bytes. Retention and compaction work on whole closed segments, so smaller segments release disk space sooner.',
  }),
  'segment.index.bytes': key.int({
    default: 10485760,
    min: 4,
    importance: 'MEDIUM',
    documentation:
      'The maximum size of the offset index of a segment, in bytes. A segment with a full index is closed. You rarely need to change it.',
  }),
  'segment.jitter.ms': key.long({
    default: 0,
    min: 0,
    importance: 'MEDIUM',
    documentation:
      'The largest random time that is subtracted from segment.ms, in milliseconds. The random time spreads out the moments at which partitions close their segments.',
  }),
  'segment.ms': key.long({
    default: 604800000,
    min: 1,
    importance: 'MEDIUM',
    documentation:
      'The age at which a segment is closed even if it is not full, in milliseconds. Retention and compaction can then process it.',
  }),
  'unclean.leader.election.enable': key.boolean({
    default: false,
    importance: 'MEDIUM',
    noEffect: NOT_REPLICATED,
    documentation:
      'Whether a replica that is not in sync may become leader if no other replica is available. Records may then be lost.',
  }),
})

export type TopicConfigValues = ConfigValues<typeof TOPIC_CONFIG>
export type TopicConfigName = keyof typeof TOPIC_CONFIG

/**
 * A broker key whose value is the default of a topic key. A value of the broker key is multiplied
 * by `factor` to convert it to the unit of the topic key.
 */
export interface Synonym {
  readonly name: string
  readonly factor: number
}

const HOUR = 3600000
const same = (name: string): readonly Synonym[] => [{ name, factor: 1 }]

/**
 * The broker keys whose values are the defaults of topic keys. The first key that is set applies,
 * as in Kafka's ServerTopicConfigSynonyms.
 */
export const TOPIC_SYNONYMS: Readonly<Partial<Record<TopicConfigName, readonly Synonym[]>>> = {
  'cleanup.policy': same('log.cleanup.policy'),
  'compression.gzip.level': same('compression.gzip.level'),
  'compression.lz4.level': same('compression.lz4.level'),
  'compression.type': same('compression.type'),
  'compression.zstd.level': same('compression.zstd.level'),
  'delete.retention.ms': same('log.cleaner.delete.retention.ms'),
  'file.delete.delay.ms': same('log.segment.delete.delay.ms'),
  'flush.messages': same('log.flush.interval.messages'),
  'flush.ms': [...same('log.flush.interval.ms'), ...same('log.flush.scheduler.interval.ms')],
  'index.interval.bytes': same('log.index.interval.bytes'),
  'local.retention.bytes': same('log.local.retention.bytes'),
  'local.retention.ms': same('log.local.retention.ms'),
  'max.compaction.lag.ms': same('log.cleaner.max.compaction.lag.ms'),
  'max.message.bytes': same('message.max.bytes'),
  'message.timestamp.after.max.ms': same('log.message.timestamp.after.max.ms'),
  'message.timestamp.before.max.ms': same('log.message.timestamp.before.max.ms'),
  'message.timestamp.type': same('log.message.timestamp.type'),
  'min.cleanable.dirty.ratio': same('log.cleaner.min.cleanable.ratio'),
  'min.compaction.lag.ms': same('log.cleaner.min.compaction.lag.ms'),
  'min.insync.replicas': same('min.insync.replicas'),
  preallocate: same('log.preallocate'),
  'retention.bytes': same('log.retention.bytes'),
  'retention.ms': [
    { name: 'log.retention.ms', factor: 1 },
    { name: 'log.retention.minutes', factor: 60000 },
    { name: 'log.retention.hours', factor: HOUR },
  ],
  'segment.bytes': same('log.segment.bytes'),
  'segment.index.bytes': same('log.index.size.max.bytes'),
  'segment.jitter.ms': [
    { name: 'log.roll.jitter.ms', factor: 1 },
    { name: 'log.roll.jitter.hours', factor: HOUR },
  ],
  'segment.ms': [
    { name: 'log.roll.ms', factor: 1 },
    { name: 'log.roll.hours', factor: HOUR },
  ],
  'unclean.leader.election.enable': same('unclean.leader.election.enable'),
}
