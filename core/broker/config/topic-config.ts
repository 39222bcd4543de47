import { type ConfigValues, defineConfig, type Validator } from '../../common/config/define.ts'
import { range } from '../../common/config/validators.ts'
import { bool, double, int, LONG_MAX, list, long, oneOf, str, unused } from './keys.ts'

const gzipLevel: Validator = {
  describe: '[1,...,9] or -1',
  check: v => (v === -1 || (typeof v === 'number' && v >= 1 && v <= 9) ? null : 'Value must be between 1 and 9 or -1'),
}

/** `*`, or `partition:broker` pairs: which replicas a replication throttle is for. */
const throttledReplicas: Validator = {
  describe: '[partitionId]:[brokerId],[partitionId]:[brokerId],...',
  check(value) {
    const items = (value as string[] | null) ?? []
    const fine = items.length === 0 || (items.length === 1 && items[0] === '*') || items.every(i => /^\d+:\d+$/.test(i))
    return fine ? null : "Must be the literal '*' or a list of replicas in the format [partitionId]:[brokerId]"
  },
}

/** Every key that a topic can carry. Names, types, defaults and limits are those of Kafka 4.3's LogConfig. */
export const TOPIC_CONFIG = defineConfig({
  'cleanup.policy': list(
    'delete',
    'MEDIUM',
    'What becomes of old segments: "delete" drops them by time or size, "compact" keeps the last value of each key. Both may be given.',
    oneOf('compact', 'delete'),
  ),
  'compression.gzip.level': unused(int(-1, 'MEDIUM', 'The level used when compression.type is gzip.', gzipLevel)),
  'compression.lz4.level': unused(int(9, 'MEDIUM', 'The level used when compression.type is lz4.', range(1, 17))),
  'compression.type': str(
    'producer',
    'MEDIUM',
    'How batches are compressed in the log; "producer" keeps what the producer chose, "uncompressed" unpacks.',
    oneOf('uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'),
  ),
  'compression.zstd.level': unused(
    int(3, 'MEDIUM', 'The level used when compression.type is zstd.', range(-131072, 22)),
  ),
  'delete.retention.ms': long(
    86400000,
    'MEDIUM',
    'How long a tombstone stays in a compacted topic, in milliseconds: the time that a reader has to see it.',
    range(0),
  ),
  'file.delete.delay.ms': long(60000, 'MEDIUM', 'How long a deleted file is kept on disk, in milliseconds.', range(0)),
  'flush.messages': long(
    LONG_MAX,
    'MEDIUM',
    'Force data to disk after this many records. The default leaves it to the operating system.',
    range(1),
  ),
  'flush.ms': long(
    LONG_MAX,
    'MEDIUM',
    'Force data to disk at the latest so long after it was written, in milliseconds. The default leaves it to the operating system.',
    range(0),
  ),
  'follower.replication.throttled.replicas': unused(
    list('', 'MEDIUM', 'The replicas whose replication is throttled on the side of the follower.', throttledReplicas),
  ),
  'index.interval.bytes': int(
    4096,
    'MEDIUM',
    'How many bytes of log lie between two entries of the offset index.',
    range(0),
  ),
  'leader.replication.throttled.replicas': unused(
    list('', 'MEDIUM', 'The replicas whose replication is throttled on the side of the leader.', throttledReplicas),
  ),
  'local.retention.bytes': unused(
    long(-2, 'MEDIUM', 'Bytes kept locally with tiered storage; -2 is retention.bytes.', range(-2)),
  ),
  'local.retention.ms': unused(
    long(-2, 'MEDIUM', 'Milliseconds kept locally with tiered storage; -2 is retention.ms.', range(-2)),
  ),
  'max.compaction.lag.ms': long(
    LONG_MAX,
    'MEDIUM',
    'The longest time that a record stays uncompacted, in milliseconds.',
    range(1),
  ),
  'max.message.bytes': int(
    1048588,
    'MEDIUM',
    'The largest record batch that is accepted, in bytes, compressed.',
    range(0),
  ),
  'message.timestamp.after.max.ms': long(
    3600000,
    'MEDIUM',
    'How far a timestamp may be in the future of the broker, in milliseconds, with CreateTime.',
    range(0),
  ),
  'message.timestamp.before.max.ms': long(
    LONG_MAX,
    'MEDIUM',
    'How far a timestamp may be in the past of the broker, in milliseconds, with CreateTime.',
    range(0),
  ),
  'message.timestamp.type': str(
    'CreateTime',
    'MEDIUM',
    "Whether a record's time is the producer's (CreateTime) or the broker's (LogAppendTime).",
    oneOf('CreateTime', 'LogAppendTime'),
  ),
  'min.cleanable.dirty.ratio': double(
    0.5,
    'MEDIUM',
    'The part of the log that must be uncompacted before it is compacted.',
    range(0, 1),
  ),
  'min.compaction.lag.ms': long(
    0,
    'MEDIUM',
    'The shortest time that a record stays uncompacted, in milliseconds.',
    range(0),
  ),
  'min.insync.replicas': unused(
    int(
      1,
      'MEDIUM',
      'How many replicas must be in sync for a write with acks=all to be accepted; as in Kafka, never more than a partition has.',
      range(1),
    ),
  ),
  preallocate: unused(bool(false, 'MEDIUM', 'Whether a new segment file is allocated in full at once.')),
  'remote.log.copy.disable': unused(
    bool(false, 'MEDIUM', 'With tiered storage: whether no more segments are copied away.'),
  ),
  'remote.log.delete.on.disable': unused(
    bool(false, 'MEDIUM', 'With tiered storage: whether disabling it deletes what it holds.'),
  ),
  'remote.storage.enable': bool(false, 'MEDIUM', 'Whether the topic uses tiered storage.'),
  'retention.bytes': long(
    -1,
    'MEDIUM',
    'The size to which a partition may grow before old segments are deleted, in bytes; -1 is no limit.',
  ),
  'retention.ms': long(
    604800000,
    'MEDIUM',
    'How long records are kept with the "delete" policy, in milliseconds; -1 is for ever.',
    range(-1),
  ),
  'segment.bytes': int(
    1073741824,
    'MEDIUM',
    'The size of a segment file, in bytes: retention and compaction work on whole segments.',
    range(1048576),
  ),
  'segment.index.bytes': int(10485760, 'MEDIUM', 'The largest size of a segment’s offset index, in bytes.', range(4)),
  'segment.jitter.ms': long(
    0,
    'MEDIUM',
    'The most that is randomly taken off segment.ms, so that not all segments roll at once.',
    range(0),
  ),
  'segment.ms': long(
    604800000,
    'MEDIUM',
    'The age at which a segment is closed even if it is not full, in milliseconds.',
    range(1),
  ),
  'unclean.leader.election.enable': unused(
    bool(false, 'MEDIUM', 'Whether a replica that is not in sync may become leader, at the price of lost records.'),
  ),
})

export type TopicConfigValues = ConfigValues<typeof TOPIC_CONFIG>
export type TopicConfigName = keyof typeof TOPIC_CONFIG

/** A broker setting that gives a topic setting its default, and what to multiply it by. */
export interface Synonym {
  readonly name: string
  readonly factor: number
}

const HOUR = 3600000
const same = (name: string): readonly Synonym[] => [{ name, factor: 1 }]

/** The broker's settings behind each topic setting; the first that is set wins. Source: Kafka's ServerTopicConfigSynonyms. */
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
