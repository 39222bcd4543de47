import { defineConfig } from '../../../common/config/define.ts'
import { range } from '../../../common/config/validators.ts'
import { bool, double, int, LONG_MAX, list, long, str, unused } from '../keys.ts'
import { TOPIC_CONFIG } from '../topic-config.ts'

/** Logs on disk, and the defaults of topics (see TOPIC_SYNONYMS in topic-config.ts). */
export const LOG_CONFIG = defineConfig({
  'log.dir': list('/tmp/kafka-logs', 'HIGH', 'Where the logs are, if log.dirs is not set.'),
  'log.dirs': list(null, 'HIGH', 'The directories that hold the logs, with commas. Default: log.dir.'),
  'message.max.bytes': int(1048588, 'HIGH', TOPIC_CONFIG['max.message.bytes'].documentation, range(0)),
  'compression.type': { ...TOPIC_CONFIG['compression.type'], importance: 'HIGH' },
  'compression.gzip.level': TOPIC_CONFIG['compression.gzip.level'],
  'compression.lz4.level': TOPIC_CONFIG['compression.lz4.level'],
  'compression.zstd.level': TOPIC_CONFIG['compression.zstd.level'],
  'log.cleanup.policy': TOPIC_CONFIG['cleanup.policy'],
  'log.retention.bytes': { ...TOPIC_CONFIG['retention.bytes'], importance: 'HIGH' },
  'log.retention.ms': long(
    null,
    'HIGH',
    'How long records are kept, in milliseconds; -1 is for ever. Default: log.retention.minutes.',
  ),
  'log.retention.minutes': int(null, 'HIGH', 'How long records are kept, in minutes. Default: log.retention.hours.'),
  'log.retention.hours': int(168, 'HIGH', 'How long records are kept, in hours.'),
  'log.retention.check.interval.ms': long(
    300000,
    'MEDIUM',
    'How often it is checked which segments can be deleted, in milliseconds.',
    range(1),
  ),
  'log.segment.bytes': { ...TOPIC_CONFIG['segment.bytes'], importance: 'HIGH' },
  'log.segment.delete.delay.ms': { ...TOPIC_CONFIG['file.delete.delay.ms'], importance: 'HIGH' },
  'log.roll.ms': long(null, 'HIGH', 'The age at which a segment is closed, in milliseconds. Default: log.roll.hours.'),
  'log.roll.hours': int(168, 'HIGH', 'The age at which a segment is closed, in hours.', range(1)),
  'log.roll.jitter.ms': long(
    null,
    'HIGH',
    'The most that is randomly taken off that age, in milliseconds. Default: log.roll.jitter.hours.',
  ),
  'log.roll.jitter.hours': int(0, 'HIGH', 'The most that is randomly taken off that age, in hours.', range(0)),
  'log.index.size.max.bytes': TOPIC_CONFIG['segment.index.bytes'],
  'log.index.interval.bytes': TOPIC_CONFIG['index.interval.bytes'],
  'log.flush.interval.messages': { ...TOPIC_CONFIG['flush.messages'], importance: 'HIGH' },
  'log.flush.interval.ms': long(
    null,
    'HIGH',
    'Force data to disk at the latest so long after it was written, in milliseconds. Default: log.flush.scheduler.interval.ms.',
  ),
  'log.flush.scheduler.interval.ms': long(
    LONG_MAX,
    'HIGH',
    'How often it is checked what has to be forced to disk, in milliseconds.',
  ),
  'log.flush.offset.checkpoint.interval.ms': unused(
    int(60000, 'HIGH', 'How often the recovery points are written, in milliseconds.', range(0)),
  ),
  'log.flush.start.offset.checkpoint.interval.ms': unused(
    int(60000, 'HIGH', 'How often the log start offsets are written, in milliseconds.', range(0)),
  ),
  'log.message.timestamp.type': TOPIC_CONFIG['message.timestamp.type'],
  'log.message.timestamp.before.max.ms': TOPIC_CONFIG['message.timestamp.before.max.ms'],
  'log.message.timestamp.after.max.ms': TOPIC_CONFIG['message.timestamp.after.max.ms'],
  'log.preallocate': TOPIC_CONFIG.preallocate,
  'log.local.retention.bytes': TOPIC_CONFIG['local.retention.bytes'],
  'log.local.retention.ms': TOPIC_CONFIG['local.retention.ms'],
  'log.cleaner.enable': bool(true, 'MEDIUM', 'Whether compaction runs. Not used by Millrace: it always does.'),
  'log.cleaner.threads': int(1, 'MEDIUM', 'Not used: Millrace compacts one log at a time.', range(0)),
  'log.cleaner.backoff.ms': long(
    15000,
    'MEDIUM',
    'How long compaction rests when there is nothing to do, in milliseconds.',
    range(0),
  ),
  'log.cleaner.dedupe.buffer.size': long(134217728, 'MEDIUM', 'Memory for the keys during a compaction, in bytes.'),
  'log.cleaner.io.max.bytes.per.second': double(
    Number.MAX_VALUE,
    'MEDIUM',
    'The most bytes a second that compaction reads and writes. Not used by Millrace yet.',
  ),
  'log.cleaner.delete.retention.ms': TOPIC_CONFIG['delete.retention.ms'],
  'log.cleaner.min.cleanable.ratio': TOPIC_CONFIG['min.cleanable.dirty.ratio'],
  'log.cleaner.min.compaction.lag.ms': TOPIC_CONFIG['min.compaction.lag.ms'],
  'log.cleaner.max.compaction.lag.ms': TOPIC_CONFIG['max.compaction.lag.ms'],
  'num.recovery.threads.per.data.dir': unused(
    int(2, 'HIGH', 'How many logs of a directory are recovered at a time after a crash.', range(1)),
  ),
  'log.dir.failure.timeout.ms': unused(
    long(30000, 'LOW', 'How long a broker waits before it stops over a failed directory, in milliseconds.', range(1)),
  ),
  'create.topic.policy.class.name': str(null, 'LOW', 'A class that checks new topics. Not used by Millrace.'),
  'alter.config.policy.class.name': str(null, 'LOW', 'A class that checks changed configs. Not used by Millrace.'),
})
