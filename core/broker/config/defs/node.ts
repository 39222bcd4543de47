import { defineConfig } from '../../../common/config/define.ts'
import { range } from '../../../common/config/validators.ts'
import { bool, int, list, long, oneOf, str, unused } from '../keys.ts'

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
  'controlled.shutdown.enable': unused(bool(true, 'MEDIUM', 'Whether leadership moves away before a shutdown.')),
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
    'The maximum age of a metadata log segment before it is rolled, in milliseconds.',
  ),
  'metadata.log.max.record.bytes.between.snapshots': long(
    20971520,
    'HIGH',
    'The maximum number of bytes of records between two metadata snapshots.',
    range(1),
  ),
  'metadata.log.max.snapshot.interval.ms': long(
    3600000,
    'HIGH',
    'The maximum time between two metadata snapshots, in milliseconds; 0 means no limit.',
    range(0),
  ),
  'metadata.max.retention.bytes': long(
    104857600,
    'HIGH',
    'The maximum size of the metadata log and its snapshots, in bytes.',
  ),
  'metadata.max.retention.ms': long(
    604800000,
    'HIGH',
    'How long old metadata log segments and snapshots are kept, in milliseconds.',
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
  'min.insync.replicas': unused(
    int(
      1,
      'HIGH',
      'How many replicas must be in sync for a write with acks=all to be accepted; as in Kafka, never more than a partition has.',
      range(1),
    ),
  ),
  'unclean.leader.election.enable': unused(
    bool(false, 'HIGH', 'Whether a replica that is not in sync may become leader, at the price of lost records.'),
  ),
  'auto.leader.rebalance.enable': unused(
    bool(true, 'HIGH', 'Whether leadership goes back to the preferred replicas by itself.'),
  ),
  'leader.imbalance.check.interval.seconds': unused(
    long(300, 'HIGH', 'How often leadership is checked for that, in seconds.', range(1)),
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
  'replica.lag.time.max.ms': unused(
    long(30000, 'HIGH', 'How far behind, in milliseconds, a replica may be and still count as in sync.'),
  ),
  'replica.fetch.max.bytes': unused(
    int(1048576, 'MEDIUM', 'The most bytes of a partition that one fetch of a replica asks for.', range(0)),
  ),
  'replica.high.watermark.checkpoint.interval.ms': unused(
    long(5000, 'HIGH', 'How often the high watermarks are written to disk, in milliseconds.'),
  ),
  'metric.reporters': list('', 'LOW', 'Classes that report metrics. Not used by Millrace.'),
  'authorizer.class.name': str(
    '',
    'LOW',
    'The authorizer. Not used by Millrace yet: everybody who can connect may do everything.',
  ),
  'offset.metadata.max.bytes': int(4096, 'HIGH', 'The longest metadata that may go with a committed offset, in bytes.'),
})
