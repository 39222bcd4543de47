import { defineConfig } from '../../../common/config/define.ts'
import { key } from '../../../common/config/key.ts'
import { distinctItems, oneOf } from '../../../common/config/validators.ts'

const NO_TRANSACTIONS = 'Transactions are not supported yet.'

const offsetKeys = defineConfig({
  'offsets.commit.timeout.ms': key.int({
    default: 5000,
    min: 1,
    importance: 'HIGH',
    documentation:
      'The time within which an offset commit must be written, in milliseconds. Otherwise the commit fails.',
  }),
  'offsets.load.buffer.size': key.int({
    default: 5242880,
    min: 1,
    importance: 'HIGH',
    documentation: 'The number of bytes that the broker reads at a time when it loads committed offsets at startup.',
  }),
  'offsets.retention.check.interval.ms': key.long({
    default: 600000,
    min: 1,
    importance: 'HIGH',
    documentation: 'The interval between checks for expired offsets, in milliseconds.',
  }),
  'offsets.retention.minutes': key.int({
    default: 10080,
    min: 1,
    importance: 'HIGH',
    documentation:
      'How long the offsets of a group without members are kept, in minutes. Increase it if consumers may be stopped for longer than the default of seven days.',
  }),
  'offsets.topic.compression.codec': key.int({
    default: 0,
    importance: 'HIGH',
    documentation: 'The compression of __consumer_offsets: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.',
  }),
  'offsets.topic.num.partitions': key.int({
    default: 50,
    min: 1,
    importance: 'HIGH',
    documentation: 'The number of partitions of __consumer_offsets. Do not change it after the topic exists.',
  }),
  'offsets.topic.replication.factor': key.short({
    default: 3,
    min: 1,
    importance: 'HIGH',
    documentation:
      'The number of replicas of __consumer_offsets. If there are fewer brokers, the topic gets as many replicas as there are brokers.',
  }),
  'offsets.topic.segment.bytes': key.int({
    default: 104857600,
    min: 1,
    importance: 'HIGH',
    documentation:
      'The maximum size of a segment of __consumer_offsets, in bytes. Smaller segments are compacted sooner, so that offsets load faster.',
  }),
})

/** The keys for consumer groups and their offsets. */
export const GROUP_CONFIG = defineConfig({
  'group.initial.rebalance.delay.ms': key.int({
    default: 3000,
    importance: 'MEDIUM',
    documentation:
      'How long the first rebalance of an empty group waits for more members, in milliseconds. The delay avoids one rebalance per member when many consumers start together. Set 0 for a faster start in tests.',
  }),
  'group.min.session.timeout.ms': key.int({
    default: 6000,
    importance: 'MEDIUM',
    documentation: 'The lowest session.timeout.ms that a member may request, in milliseconds.',
  }),
  'group.max.session.timeout.ms': key.int({
    default: 1800000,
    importance: 'MEDIUM',
    documentation: 'The highest session.timeout.ms that a member may request, in milliseconds.',
  }),
  'group.max.size': key.int({
    default: 2147483647,
    min: 1,
    importance: 'MEDIUM',
    documentation: 'The maximum number of members of a group.',
  }),
  'group.coordinator.rebalance.protocols': key.list({
    default: 'classic',
    validator: distinctItems({ allowEmpty: false, of: ['consumer', 'classic', 'share', 'streams'] }),
    importance: 'MEDIUM',
    noEffect: 'This version supports the classic protocol only.',
    documentation: 'The group protocols that the broker supports.',
  }),
  ...offsetKeys,
})

/** The keys for producer ids and transactions. */
export const TRANSACTION_CONFIG = defineConfig({
  'producer.id.expiration.ms': key.int({
    default: 86400000,
    min: 1,
    importance: 'LOW',
    documentation:
      'How long the broker keeps the state of an idle producer, in milliseconds. Within this time, the broker detects duplicates that retries cause.',
  }),
  'producer.id.expiration.check.interval.ms': key.int({
    default: 600000,
    min: 1,
    importance: 'LOW',
    internal: true,
    documentation: 'The interval between checks for expired producer ids, in milliseconds.',
  }),
  'transaction.max.timeout.ms': key.int({
    default: 900000,
    min: 1,
    importance: 'HIGH',
    noEffect: NO_TRANSACTIONS,
    documentation: 'The highest transaction timeout that a producer may request, in milliseconds.',
  }),
  'transaction.partition.verification.enable': key.boolean({
    default: true,
    importance: 'LOW',
    noEffect: NO_TRANSACTIONS,
    documentation: 'Whether the broker checks that a partition belongs to the transaction before it appends records.',
  }),
  'transaction.state.log.load.buffer.size': key.int({
    default: 5242880,
    min: 1,
    importance: 'HIGH',
    noEffect: NO_TRANSACTIONS,
    documentation: 'The number of bytes that the broker reads at a time when it loads transactions.',
  }),
  'transaction.state.log.min.isr': key.int({
    default: 2,
    min: 1,
    importance: 'HIGH',
    noEffect: NO_TRANSACTIONS,
    documentation: 'The value of min.insync.replicas of __transaction_state.',
  }),
  'transaction.state.log.num.partitions': key.int({
    default: 50,
    min: 1,
    importance: 'HIGH',
    noEffect: NO_TRANSACTIONS,
    documentation: 'The number of partitions of __transaction_state.',
  }),
  'transaction.state.log.replication.factor': key.short({
    default: 3,
    min: 1,
    importance: 'HIGH',
    noEffect: NO_TRANSACTIONS,
    documentation: 'The number of replicas of __transaction_state.',
  }),
  'transaction.state.log.segment.bytes': key.int({
    default: 104857600,
    min: 1,
    importance: 'HIGH',
    noEffect: NO_TRANSACTIONS,
    documentation: 'The maximum size of a segment of __transaction_state, in bytes.',
  }),
  'transactional.id.expiration.ms': key.int({
    default: 604800000,
    min: 1,
    importance: 'HIGH',
    noEffect: NO_TRANSACTIONS,
    documentation: 'How long the broker keeps an idle transactional id, in milliseconds.',
  }),
})

/** The keys that only Millrace has. */
export const MILLRACE_CONFIG = defineConfig({
  'millrace.log.fsync': key.string({
    default: 'none',
    validator: oneOf(['none', 'group']),
    importance: 'MEDIUM',
    documentation:
      'When acknowledged records are safe on disk. none: the operating system writes them later, as in Kafka, so the last records may be lost in a power failure. group: the broker waits for the disk before it acknowledges, with one fdatasync for all waiting writes. This costs latency.',
  }),
  'millrace.log.tail.cache.bytes': key.long({
    default: 67108864,
    min: 0,
    importance: 'LOW',
    documentation:
      'The memory for the most recent records of all partitions, in bytes. Consumers that keep up read from it instead of from files.',
  }),
})
