import { defineConfig } from '../../../common/config/define.ts'
import { range } from '../../../common/config/validators.ts'
import { bool, int, list, long, oneOf, short, str, unused } from '../keys.ts'

/** Consumer groups and their offsets. */
export const GROUP_CONFIG = defineConfig({
  'group.initial.rebalance.delay.ms': int(
    3000,
    'MEDIUM',
    'How long the first rebalance of an empty group waits for more members, in milliseconds.',
  ),
  'group.min.session.timeout.ms': int(
    6000,
    'MEDIUM',
    'The shortest session timeout that a member may ask for, in milliseconds.',
  ),
  'group.max.session.timeout.ms': int(
    1800000,
    'MEDIUM',
    'The longest session timeout that a member may ask for, in milliseconds.',
  ),
  'group.max.size': int(2147483647, 'MEDIUM', 'How many members a group may have.', range(1)),
  'group.coordinator.rebalance.protocols': unused(
    list(
      'classic',
      'MEDIUM',
      'The group protocols that are served. Kafka 4.3 also has consumer, share and streams.',
      oneOf('classic', 'consumer', 'share', 'streams'),
    ),
  ),
  'offsets.commit.timeout.ms': int(
    5000,
    'HIGH',
    'How long a commit may wait until it is written, in milliseconds.',
    range(1),
  ),
  'offsets.load.buffer.size': int(
    5242880,
    'HIGH',
    'How many bytes are read at a time while offsets are loaded.',
    range(1),
  ),
  'offsets.retention.check.interval.ms': long(
    600000,
    'HIGH',
    'How often expired offsets are looked for, in milliseconds.',
    range(1),
  ),
  'offsets.retention.minutes': int(
    10080,
    'HIGH',
    'How long the offsets of an empty group are kept, in minutes.',
    range(1),
  ),
  'offsets.topic.compression.codec': int(
    0,
    'HIGH',
    'How __consumer_offsets is compressed: 0 not, 1 gzip, 2 snappy, 3 lz4, 4 zstd.',
  ),
  'offsets.topic.num.partitions': int(
    50,
    'HIGH',
    'The partitions of __consumer_offsets; fixed once it exists.',
    range(1),
  ),
  'offsets.topic.replication.factor': short(
    3,
    'HIGH',
    'The replicas of __consumer_offsets. With fewer brokers than that, Millrace takes as many as there are.',
    range(1),
  ),
  'offsets.topic.segment.bytes': int(
    104857600,
    'HIGH',
    'The size of a segment of __consumer_offsets, in bytes.',
    range(1),
  ),
})

/** Producer ids and transactions. */
export const TRANSACTION_CONFIG = defineConfig({
  'producer.id.expiration.ms': int(
    86400000,
    'LOW',
    'How long an idle producer id is remembered, in milliseconds.',
    range(1),
  ),
  'producer.id.expiration.check.interval.ms': {
    ...int(600000, 'LOW', 'How often expired producer ids are looked for, in milliseconds.', range(1)),
    internal: true,
  },
  'transaction.max.timeout.ms': unused(
    int(900000, 'HIGH', 'The longest transaction timeout that a producer may ask for, in milliseconds.', range(1)),
  ),
  'transaction.partition.verification.enable': unused(
    bool(true, 'LOW', 'Whether a partition is checked to be part of the transaction before it is written to.'),
  ),
  'transaction.state.log.load.buffer.size': unused(
    int(5242880, 'HIGH', 'How many bytes are read at a time while transactions are loaded.', range(1)),
  ),
  'transaction.state.log.min.isr': unused(int(2, 'HIGH', 'The min.insync.replicas of __transaction_state.', range(1))),
  'transaction.state.log.num.partitions': unused(
    int(50, 'HIGH', 'The partitions of __transaction_state; fixed once it exists.', range(1)),
  ),
  'transaction.state.log.replication.factor': unused(
    short(
      3,
      'HIGH',
      'The replicas of __transaction_state. With fewer brokers than that, Millrace takes as many as there are.',
      range(1),
    ),
  ),
  'transaction.state.log.segment.bytes': unused(
    int(104857600, 'HIGH', 'The size of a segment of __transaction_state, in bytes.', range(1)),
  ),
  'transactional.id.expiration.ms': unused(
    int(604800000, 'HIGH', 'How long an idle transactional id is remembered, in milliseconds.', range(1)),
  ),
})

/** Millrace's own keys. */
export const MILLRACE_CONFIG = defineConfig({
  'millrace.log.fsync': str(
    'none',
    'MEDIUM',
    '"group" acknowledges a write only once it is on disk, one fdatasync for all writes that wait; "none" leaves it to the operating system, as Kafka does.',
    oneOf('none', 'group'),
  ),
  'millrace.log.tail.cache.bytes': long(
    67108864,
    'LOW',
    'How many bytes of recent records are kept in memory for readers, for all partitions together.',
    range(0),
  ),
})
