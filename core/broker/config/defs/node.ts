import { defineConfig } from '../../../common/config/define.ts'
import { range } from '../../../common/config/validators.ts'
import { bool, int, list, long, oneOf, short, str } from '../keys.ts'

/** The node, the metadata quorum, topics in general. */
export const NODE_CONFIG = defineConfig({
  'node.id': { ...int(1, 'HIGH', 'The id of this node in its cluster.', range(0)), aliases: ['broker.id'] },
  'process.roles': list(
    'broker,controller',
    'HIGH',
    'What this node is: broker, controller or both. Millrace is both for now.',
    oneOf('broker', 'controller'),
  ),
  'broker.rack': str(null, 'MEDIUM', 'The rack or zone in which this broker stands.'),
  'controller.listener.names': list(
    'CONTROLLER',
    'HIGH',
    "The controllers' listeners. With a quorum of one nobody connects to it, and it is not opened.",
  ),
  'controller.quorum.voters': list(
    '',
    'HIGH',
    'The voters of the quorum: id@host:port pairs. Millrace is a quorum of one for now.',
  ),
  'controller.quorum.bootstrap.servers': list(
    '',
    'HIGH',
    'The addresses that the quorum is found by. Not used by a quorum of one.',
  ),
  'controller.quorum.election.timeout.ms': int(
    1000,
    'HIGH',
    'How long to wait for a leader before an election. Not used by a quorum of one.',
    range(0),
  ),
  'controller.quorum.fetch.timeout.ms': int(
    2000,
    'HIGH',
    'How long to go without a fetch from the leader. Not used by a quorum of one.',
    range(0),
  ),
  'broker.heartbeat.interval.ms': int(
    2000,
    'MEDIUM',
    "The time between a broker's heartbeats to the controller. Not used by a quorum of one.",
  ),
  'broker.session.timeout.ms': int(
    9000,
    'MEDIUM',
    'How long a broker lives without heartbeats. Not used by a quorum of one.',
  ),
  'controlled.shutdown.enable': bool(true, 'MEDIUM', 'Whether leadership moves away before a shutdown.'),
  'metadata.log.dir': str(null, 'HIGH', 'The directory of the metadata log. Default: the first of log.dirs.'),
  'metadata.log.segment.bytes': int(
    1073741824,
    'HIGH',
    'The size of a segment of the metadata log, in bytes.',
    range(8388608),
  ),
  'metadata.log.segment.ms': long(
    604800000,
    'HIGH',
    'The age at which a segment of the metadata log is closed, in milliseconds.',
  ),
  'metadata.log.max.record.bytes.between.snapshots': long(
    20971520,
    'HIGH',
    'The most bytes of records between two snapshots of the metadata.',
    range(1),
  ),
  'metadata.log.max.snapshot.interval.ms': long(
    3600000,
    'HIGH',
    'The longest time between two snapshots of the metadata, in milliseconds; 0 is no limit.',
    range(0),
  ),
  'metadata.max.retention.bytes': long(
    104857600,
    'HIGH',
    'The size to which the metadata log may grow with its snapshots, in bytes.',
  ),
  'metadata.max.retention.ms': long(
    604800000,
    'HIGH',
    'How long old metadata and snapshots are kept, in milliseconds.',
  ),
  'metadata.max.idle.interval.ms': int(
    500,
    'LOW',
    'How often an idle quorum writes a no-op record. Not used by a quorum of one.',
    range(0),
  ),
  'num.partitions': int(1, 'MEDIUM', "A new topic's number of partitions, where its creator names none.", range(1)),
  'default.replication.factor': int(
    1,
    'MEDIUM',
    "A new topic's replication factor, where its creator names none.",
    range(1),
  ),
  'auto.create.topics.enable': bool(
    true,
    'HIGH',
    'Whether asking for the metadata of a topic that does not exist makes it.',
  ),
  'delete.topic.enable': bool(true, 'HIGH', 'Whether topics may be deleted.'),
  'min.insync.replicas': int(
    1,
    'HIGH',
    'How many replicas must be in sync for a write with acks=all to be accepted.',
    range(1),
  ),
  'unclean.leader.election.enable': bool(
    false,
    'HIGH',
    'Whether a replica that is not in sync may become leader, at the price of lost records.',
  ),
  'auto.leader.rebalance.enable': bool(
    true,
    'HIGH',
    'Whether leadership goes back to the preferred replicas by itself.',
  ),
  'leader.imbalance.check.interval.seconds': long(
    300,
    'HIGH',
    'How often leadership is checked for that, in seconds.',
    range(1),
  ),
  'max.request.partition.size.limit': int(
    2000,
    'MEDIUM',
    'How many partitions one DescribeTopicPartitions answer holds at most.',
    range(1),
  ),
  'max.incremental.fetch.session.cache.slots': int(
    1000,
    'MEDIUM',
    'How many fetch sessions the broker keeps at most.',
    range(0),
  ),
  'fetch.max.bytes': int(
    57671680,
    'MEDIUM',
    'The most bytes one fetch gives, in bytes; one batch is always given.',
    range(1024),
  ),
  'replica.lag.time.max.ms': long(
    30000,
    'HIGH',
    'How far behind, in milliseconds, a replica may be and still count as in sync.',
  ),
  'replica.fetch.max.bytes': int(
    1048576,
    'MEDIUM',
    'The most bytes of a partition that one fetch of a replica asks for.',
    range(0),
  ),
  'replica.high.watermark.checkpoint.interval.ms': long(
    5000,
    'HIGH',
    'How often the high watermarks are written to disk, in milliseconds.',
  ),
  'metric.reporters': list('', 'LOW', 'Classes that report metrics. Not used by Millrace.'),
  'authorizer.class.name': str(
    '',
    'LOW',
    'The authorizer. Not used by Millrace yet: everybody who can connect may do everything.',
  ),
  'offset.metadata.max.bytes': int(4096, 'HIGH', 'The longest metadata that may go with a committed offset, in bytes.'),
})

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
  'group.coordinator.rebalance.protocols': list(
    'classic',
    'MEDIUM',
    'The group protocols that are served. Kafka 4.3 also has consumer, share and streams.',
    oneOf('classic', 'consumer', 'share', 'streams'),
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
  'transaction.max.timeout.ms': int(
    900000,
    'HIGH',
    'The longest transaction timeout that a producer may ask for, in milliseconds.',
    range(1),
  ),
  'transaction.partition.verification.enable': bool(
    true,
    'LOW',
    'Whether a partition is checked to be part of the transaction before it is written to.',
  ),
  'transaction.state.log.load.buffer.size': int(
    5242880,
    'HIGH',
    'How many bytes are read at a time while transactions are loaded.',
    range(1),
  ),
  'transaction.state.log.min.isr': int(2, 'HIGH', 'The min.insync.replicas of __transaction_state.', range(1)),
  'transaction.state.log.num.partitions': int(
    50,
    'HIGH',
    'The partitions of __transaction_state; fixed once it exists.',
    range(1),
  ),
  'transaction.state.log.replication.factor': short(
    3,
    'HIGH',
    'The replicas of __transaction_state. With fewer brokers than that, Millrace takes as many as there are.',
    range(1),
  ),
  'transaction.state.log.segment.bytes': int(
    104857600,
    'HIGH',
    'The size of a segment of __transaction_state, in bytes.',
    range(1),
  ),
  'transactional.id.expiration.ms': int(
    604800000,
    'HIGH',
    'How long an idle transactional id is remembered, in milliseconds.',
    range(1),
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
