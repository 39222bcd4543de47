import { defineConfig, type Validator } from '../../../common/config/define.ts'
import { key } from '../../../common/config/key.ts'
import { distinctItems } from '../../../common/config/validators.ts'
import { TOPIC_CONFIG } from '../topic-config.ts'

const QUORUM_OF_ONE = 'This version has one controller, in the broker itself.'
const ONE_BROKER = 'This version has one broker.'

const voters: Validator = {
  describe: 'list of id@host:port',
  complete: true,
  check(value, name) {
    const items = (value as readonly string[] | null) ?? []
    if (items.every(item => /^\d+@(\[[^\]]+\]|[^\s:@]+):\d+$/.test(item))) return null
    return `Invalid configuration value for ${name}. Each entry should be in the form \`{id}@{host}:{port}\`.`
  },
}

const controllers: Validator = {
  describe: 'list of host:port',
  complete: true,
  check(value, name) {
    const items = (value as readonly string[] | null) ?? []
    const wrong = items.find(item => !/^(\[[^\]]+\]|[^\s:]+):\d+$/.test(item))
    if (wrong === undefined) return null
    return `Failed to parse host name from ${wrong} for the configuration ${name}. Each entry should be in the form "{host}:{port}"`
  },
}

const quorumKeys = defineConfig({
  'controller.listener.names': key.list({
    default: 'CONTROLLER',
    validator: distinctItems({ allowEmpty: false }),
    importance: 'HIGH',
    documentation:
      'The names of the listeners for the controller. The broker does not open these listeners, because its only controller runs in the same process.',
  }),
  'controller.quorum.voters': key.list({
    default: '',
    validator: voters,
    importance: 'HIGH',
    documentation:
      'The controllers of the metadata quorum, as id@host:port. At most one, because this version supports a single controller.',
  }),
  'controller.quorum.bootstrap.servers': key.list({
    default: '',
    validator: controllers,
    importance: 'HIGH',
    noEffect: QUORUM_OF_ONE,
    documentation: 'The addresses of controllers, as host:port.',
  }),
  'controller.quorum.election.timeout.ms': key.int({
    default: 1000,
    min: 0,
    importance: 'HIGH',
    noEffect: QUORUM_OF_ONE,
    documentation: 'How long a controller waits for a leader before it starts an election, in milliseconds.',
  }),
  'controller.quorum.fetch.timeout.ms': key.int({
    default: 2000,
    min: 0,
    importance: 'HIGH',
    noEffect: QUORUM_OF_ONE,
    documentation:
      'How long a controller may receive nothing from the leader before it starts an election, in milliseconds.',
  }),
  'broker.heartbeat.interval.ms': key.int({
    default: 2000,
    importance: 'MEDIUM',
    noEffect: QUORUM_OF_ONE,
    documentation: 'The interval between heartbeats of a broker to the controller, in milliseconds.',
  }),
  'broker.session.timeout.ms': key.int({
    default: 9000,
    importance: 'MEDIUM',
    noEffect: QUORUM_OF_ONE,
    documentation: 'The time without heartbeats after which the controller considers a broker dead, in milliseconds.',
  }),
  'controlled.shutdown.enable': key.boolean({
    default: true,
    importance: 'MEDIUM',
    noEffect: ONE_BROKER,
    documentation: 'Whether a broker moves the leadership of its partitions to other brokers before it stops.',
  }),
})

const metadataKeys = defineConfig({
  'metadata.log.dir': key.string({
    default: null,
    importance: 'HIGH',
    documentation:
      'The directory of the metadata log, which stores topics and settings. Default: the first directory of log.dirs.',
  }),
  'metadata.log.segment.bytes': key.int({
    default: 1073741824,
    min: 8388608,
    importance: 'HIGH',
    documentation: 'The maximum size of a segment of the metadata log, in bytes.',
  }),
  'metadata.log.segment.ms': key.long({
    default: 604800000,
    importance: 'HIGH',
    documentation: 'The age at which a segment of the metadata log is closed, in milliseconds.',
  }),
  'metadata.log.max.record.bytes.between.snapshots': key.long({
    default: 20971520,
    min: 1,
    importance: 'HIGH',
    documentation:
      'The broker writes a metadata snapshot after this many bytes of new metadata records. Old records before a snapshot can then be deleted.',
  }),
  'metadata.log.max.snapshot.interval.ms': key.long({
    default: 3600000,
    min: 0,
    importance: 'HIGH',
    documentation:
      'The longest time between two metadata snapshots if metadata has changed, in milliseconds. 0 means no limit.',
  }),
  'metadata.max.retention.bytes': key.long({
    default: 104857600,
    importance: 'HIGH',
    documentation:
      'The maximum total size of the metadata log and its snapshots, in bytes. Above this size, the broker deletes the oldest segments and snapshots. Records after the last snapshot are always kept. -1 means no limit.',
  }),
  'metadata.max.retention.ms': key.long({
    default: 604800000,
    importance: 'HIGH',
    documentation:
      'How long old metadata segments and snapshots are kept, in milliseconds. Records after the last snapshot are always kept. -1 means no limit.',
  }),
  'metadata.max.idle.interval.ms': key.int({
    default: 500,
    min: 0,
    importance: 'LOW',
    noEffect: QUORUM_OF_ONE,
    documentation: 'The interval at which an idle controller writes an empty record, in milliseconds.',
  }),
})

const topicKeys = defineConfig({
  'num.partitions': key.int({
    default: 1,
    min: 1,
    importance: 'MEDIUM',
    documentation: 'The number of partitions of a new topic, if the client does not request a number.',
  }),
  'default.replication.factor': key.int({
    default: 1,
    min: 1,
    importance: 'MEDIUM',
    documentation:
      'The number of replicas of a new topic, if the client does not request a number. Keep 1, because this version has one broker.',
  }),
  'auto.create.topics.enable': key.boolean({
    default: true,
    importance: 'HIGH',
    documentation:
      'Whether the broker creates a missing topic when a client requests the metadata of this topic. Producers do so before they send records. With false, a misspelt topic name causes an error instead of a new topic.',
  }),
  'delete.topic.enable': key.boolean({
    default: true,
    importance: 'HIGH',
    documentation: 'Whether clients can delete topics.',
  }),
  'max.request.partition.size.limit': key.int({
    default: 2000,
    min: 1,
    importance: 'MEDIUM',
    documentation:
      'The maximum number of partitions in one response to DescribeTopicPartitions. The client requests the rest in further requests.',
  }),
  'max.incremental.fetch.session.cache.slots': key.int({
    default: 1000,
    min: 0,
    importance: 'MEDIUM',
    documentation:
      'The maximum number of fetch sessions that the broker keeps. A consumer without a session sends all its partitions with every fetch, which is slower.',
  }),
  'fetch.max.bytes': key.int({
    default: 57671680,
    min: 1024,
    importance: 'MEDIUM',
    documentation:
      'The maximum size of the response to a fetch, in bytes. The first batch of the response is returned even if it is larger, so that the consumer can make progress.',
  }),
  'offset.metadata.max.bytes': key.int({
    default: 4096,
    importance: 'HIGH',
    documentation: 'The maximum size of the metadata that a client may store with a committed offset, in bytes.',
  }),
})

const replicationKeys = defineConfig({
  'min.insync.replicas': { ...TOPIC_CONFIG['min.insync.replicas'], importance: 'HIGH' },
  'unclean.leader.election.enable': { ...TOPIC_CONFIG['unclean.leader.election.enable'], importance: 'HIGH' },
  'auto.leader.rebalance.enable': key.boolean({
    default: true,
    importance: 'HIGH',
    noEffect: ONE_BROKER,
    documentation: 'Whether the controller moves leadership back to the preferred replicas.',
  }),
  'leader.imbalance.check.interval.seconds': key.long({
    default: 300,
    min: 1,
    importance: 'HIGH',
    noEffect: ONE_BROKER,
    documentation: 'The interval between checks for leaders that are not the preferred replicas, in seconds.',
  }),
  'replica.lag.time.max.ms': key.long({
    default: 30000,
    importance: 'HIGH',
    noEffect: ONE_BROKER,
    documentation: 'The time after which a replica that lags behind the leader is no longer in sync, in milliseconds.',
  }),
  'replica.fetch.max.bytes': key.int({
    default: 1048576,
    min: 0,
    importance: 'MEDIUM',
    noEffect: ONE_BROKER,
    documentation: 'The number of bytes per partition that a replica requests from the leader.',
  }),
  'replica.high.watermark.checkpoint.interval.ms': key.long({
    default: 5000,
    importance: 'HIGH',
    noEffect: 'With one replica, the high watermark is the end of the log.',
    documentation: 'The interval at which high watermarks are written to disk, in milliseconds.',
  }),
})

/** The keys for the node, the metadata quorum, the creation of topics, and replication. */
export const NODE_CONFIG = defineConfig({
  'node.id': key.int({
    default: 1,
    min: 0,
    importance: 'HIGH',
    aliases: ['broker.id'],
    documentation: 'The id of this node. It is stored in the data directory and must not change afterwards.',
  }),
  'process.roles': key.list({
    default: 'broker,controller',
    validator: distinctItems({ allowEmpty: false, of: ['broker', 'controller'] }),
    importance: 'HIGH',
    documentation: 'The roles of this process. Must be broker,controller, because this version runs as a single node.',
  }),
  'broker.rack': key.string({
    default: null,
    importance: 'MEDIUM',
    documentation: 'The rack or availability zone of this broker. Clients see it in the cluster metadata.',
  }),
  ...quorumKeys,
  ...metadataKeys,
  ...topicKeys,
  ...replicationKeys,
  'metric.reporters': key.list({
    default: 'org.apache.kafka.common.metrics.JmxReporter',
    validator: distinctItems({ allowEmpty: true }),
    importance: 'LOW',
    noEffect: 'Java classes cannot be loaded.',
    documentation: 'Java classes that receive the metrics of the broker.',
  }),
  'authorizer.class.name': key.string({
    default: '',
    importance: 'LOW',
    noEffect: 'Authorization is not supported yet: every client may do everything.',
    documentation: 'The Java class that decides what a client may do.',
  }),
})
