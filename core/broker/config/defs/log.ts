import { defineConfig } from '../../../common/config/define.ts'
import { key } from '../../../common/config/key.ts'
import { distinctItems } from '../../../common/config/validators.ts'
import { TOPIC_CONFIG } from '../topic-config.ts'
import { LONG_MAX } from '../values.ts'

const NO_POLICY = 'Java classes cannot be loaded.'

const retentionKeys = defineConfig({
  'log.cleanup.policy': TOPIC_CONFIG['cleanup.policy'],
  'log.retention.bytes': { ...TOPIC_CONFIG['retention.bytes'], importance: 'HIGH' },
  'log.retention.ms': key.long({
    default: null,
    importance: 'HIGH',
    documentation:
      'How long records are kept, in milliseconds. Older segments are deleted. -1 keeps records forever. Default: log.retention.minutes.',
  }),
  'log.retention.minutes': key.int({
    default: null,
    importance: 'HIGH',
    documentation: 'How long records are kept, in minutes. Default: log.retention.hours.',
  }),
  'log.retention.hours': key.int({
    default: 168,
    importance: 'HIGH',
    documentation: 'How long records are kept, in hours. -1 keeps records forever.',
  }),
  'log.retention.check.interval.ms': key.long({
    default: 300000,
    min: 1,
    importance: 'MEDIUM',
    documentation: 'The interval between checks for segments that can be deleted, in milliseconds.',
  }),
})

const segmentKeys = defineConfig({
  'log.segment.bytes': { ...TOPIC_CONFIG['segment.bytes'], importance: 'HIGH' },
  'log.segment.delete.delay.ms': { ...TOPIC_CONFIG['file.delete.delay.ms'], importance: 'HIGH' },
  'log.roll.ms': key.long({
    default: null,
    importance: 'HIGH',
    documentation:
      'The age at which a segment is closed even if it is not full, in milliseconds. Default: log.roll.hours.',
  }),
  'log.roll.hours': key.int({
    default: 168,
    min: 1,
    importance: 'HIGH',
    documentation: 'The age at which a segment is closed even if it is not full, in hours.',
  }),
  'log.roll.jitter.ms': key.long({
    default: null,
    importance: 'HIGH',
    documentation:
      'The largest random time that is subtracted from log.roll.ms, in milliseconds. The random time spreads out the moments at which partitions close their segments. Default: log.roll.jitter.hours.',
  }),
  'log.roll.jitter.hours': key.int({
    default: 0,
    min: 0,
    importance: 'HIGH',
    documentation: 'The largest random time subtracted from log.roll.hours, in hours.',
  }),
  'log.index.size.max.bytes': TOPIC_CONFIG['segment.index.bytes'],
  'log.index.interval.bytes': TOPIC_CONFIG['index.interval.bytes'],
  'log.preallocate': TOPIC_CONFIG.preallocate,
})

const flushKeys = defineConfig({
  'log.flush.interval.messages': { ...TOPIC_CONFIG['flush.messages'], importance: 'HIGH' },
  'log.flush.interval.ms': key.long({
    default: null,
    importance: 'HIGH',
    documentation:
      'The longest time before the broker forces written data to disk (fsync), in milliseconds. Default: log.flush.scheduler.interval.ms.',
  }),
  'log.flush.scheduler.interval.ms': key.long({
    default: LONG_MAX,
    importance: 'HIGH',
    documentation:
      'The default of log.flush.interval.ms, in milliseconds. If neither key is set, the operating system decides when to write.',
  }),
  'log.flush.offset.checkpoint.interval.ms': key.int({
    default: 60000,
    min: 0,
    importance: 'HIGH',
    noEffect: 'The broker writes changed recovery points every five seconds.',
    documentation: 'The interval at which recovery points are written to disk, in milliseconds.',
  }),
  'log.flush.start.offset.checkpoint.interval.ms': key.int({
    default: 60000,
    min: 0,
    importance: 'HIGH',
    noEffect: 'The broker writes changed log start offsets every five seconds.',
    documentation: 'The interval at which log start offsets are written to disk, in milliseconds.',
  }),
})

const cleanerKeys = defineConfig({
  'log.cleaner.enable': key.boolean({
    default: true,
    importance: 'MEDIUM',
    noEffect: 'Compaction always runs, because committed offsets depend on it.',
    documentation: 'Whether topics with cleanup.policy=compact are compacted.',
  }),
  'log.cleaner.threads': key.int({
    default: 1,
    min: 0,
    importance: 'MEDIUM',
    noEffect: 'One log is compacted at a time.',
    documentation: 'The number of threads that compact logs.',
  }),
  'log.cleaner.backoff.ms': key.long({
    default: 15000,
    min: 0,
    importance: 'MEDIUM',
    documentation: 'The interval between checks for logs to compact, in milliseconds.',
  }),
  'log.cleaner.dedupe.buffer.size': key.long({
    default: 134217728,
    importance: 'MEDIUM',
    documentation:
      'The maximum memory for the keys of one compaction, in bytes. A log with more keys is compacted in several passes.',
  }),
  'log.cleaner.io.max.bytes.per.second': key.double({
    default: Number.MAX_VALUE,
    importance: 'MEDIUM',
    noEffect: 'The I/O of compaction is not limited yet.',
    documentation: 'The maximum number of bytes that compaction reads and writes per second.',
  }),
  'log.cleaner.delete.retention.ms': TOPIC_CONFIG['delete.retention.ms'],
  'log.cleaner.min.cleanable.ratio': TOPIC_CONFIG['min.cleanable.dirty.ratio'],
  'log.cleaner.min.compaction.lag.ms': TOPIC_CONFIG['min.compaction.lag.ms'],
  'log.cleaner.max.compaction.lag.ms': TOPIC_CONFIG['max.compaction.lag.ms'],
})

/**
 * The keys for logs on disk. Many are the defaults of topic keys: see TOPIC_SYNONYMS in
 * topic-config.ts.
 */
export const LOG_CONFIG = defineConfig({
  'log.dir': key.list({
    default: '/tmp/kafka-logs',
    validator: distinctItems({ allowEmpty: false }),
    importance: 'HIGH',
    documentation: 'The directory of the logs, if log.dirs is not set.',
  }),
  'log.dirs': key.list({
    default: null,
    validator: distinctItems({ allowEmpty: false }),
    importance: 'HIGH',
    documentation:
      'The directories of the logs, separated by commas. New partitions go to the directory with the fewest partitions. Default: log.dir.',
  }),
  'message.max.bytes': { ...TOPIC_CONFIG['max.message.bytes'], importance: 'HIGH' },
  'compression.type': { ...TOPIC_CONFIG['compression.type'], importance: 'HIGH' },
  'compression.gzip.level': TOPIC_CONFIG['compression.gzip.level'],
  'compression.lz4.level': TOPIC_CONFIG['compression.lz4.level'],
  'compression.zstd.level': TOPIC_CONFIG['compression.zstd.level'],
  ...retentionKeys,
  ...segmentKeys,
  ...flushKeys,
  ...cleanerKeys,
  'log.message.timestamp.type': TOPIC_CONFIG['message.timestamp.type'],
  'log.message.timestamp.before.max.ms': TOPIC_CONFIG['message.timestamp.before.max.ms'],
  'log.message.timestamp.after.max.ms': TOPIC_CONFIG['message.timestamp.after.max.ms'],
  'log.local.retention.bytes': TOPIC_CONFIG['local.retention.bytes'],
  'log.local.retention.ms': TOPIC_CONFIG['local.retention.ms'],
  'num.recovery.threads.per.data.dir': key.int({
    default: 2,
    min: 1,
    importance: 'HIGH',
    noEffect: 'The broker recovers up to four logs of a directory at a time.',
    documentation: 'The number of threads per directory that recover logs after a crash.',
  }),
  'log.dir.failure.timeout.ms': key.long({
    default: 30000,
    min: 1,
    importance: 'LOW',
    noEffect: 'This version has one broker, which reports a failed directory to itself.',
    documentation:
      'How long a broker tries to report a failed directory to the controller before it stops, in milliseconds.',
  }),
  'create.topic.policy.class.name': key.class({
    default: null,
    importance: 'LOW',
    noEffect: NO_POLICY,
    documentation: 'The Java class that checks requests to create topics.',
  }),
  'alter.config.policy.class.name': key.class({
    default: null,
    importance: 'LOW',
    noEffect: NO_POLICY,
    documentation: 'The Java class that checks requests to change settings.',
  }),
})
