import { defineConfig, type Validator } from '../../common/config/define.ts'
import { key } from '../../common/config/key.ts'
import { nonEmpty, oneOf } from '../../common/config/validators.ts'

const ONE_WORKER = 'A cluster has one worker in this version.'
const HMAC = ['HmacSHA1', 'HmacSHA256', 'HmacSHA384', 'HmacSHA512'] as const

/** Accepts -1 and numbers of at least 1. `message` is Connect's error message for other values. */
const countOrDefault = (message: string): Validator => ({
  describe: 'positive number, or -1',
  ofNull: message,
  check: value => (value === null || value === -1 || Number(value) >= 1 ? null : message),
})
const replicas = countOrDefault(
  "Replication factor must be positive and not larger than the number of brokers in the Kafka cluster, or -1 to use the broker's default",
)
const partitionCount = countOrDefault("Number of partitions must be positive, or -1 to use the broker's default")

const topic = (content: string) =>
  key.string({
    validator: nonEmpty,
    importance: 'HIGH',
    documentation: `The compacted topic that stores ${content}. The worker creates it if it does not exist. Each cluster of workers needs its own.`,
  })

const replication = (content: string) =>
  key.short({
    default: 3,
    validator: replicas,
    importance: 'LOW',
    documentation: `The replication factor of the topic for ${content}, when the worker creates it. -1 means the default of the broker.`,
  })

const partitions = <const D extends number>(content: string, count: D) =>
  key.int({
    default: count,
    validator: partitionCount,
    importance: 'LOW',
    documentation: `The number of partitions of the topic for ${content}, when the worker creates it. -1 means the default of the broker.`,
  })

const storageKeys = defineConfig({
  'config.storage.topic': topic('the configurations of connectors'),
  'config.storage.replication.factor': replication('configurations'),
  'offset.storage.topic': topic('the offsets of source connectors'),
  'offset.storage.replication.factor': replication('offsets'),
  'offset.storage.partitions': partitions('offsets', 25),
  'status.storage.topic': topic('the status of connectors and tasks'),
  'status.storage.replication.factor': replication('statuses'),
  'status.storage.partitions': partitions('statuses', 5),
})

const groupKeys = defineConfig({
  'session.timeout.ms': key.int({
    default: 10000,
    min: 1,
    importance: 'HIGH',
    noEffect: ONE_WORKER,
    documentation: 'The group removes a worker that sends no heartbeat for this long, in milliseconds.',
  }),
  'heartbeat.interval.ms': key.int({
    default: 3000,
    min: 1,
    importance: 'HIGH',
    noEffect: ONE_WORKER,
    documentation: 'The interval between heartbeats to the group coordinator, in milliseconds.',
  }),
  'rebalance.timeout.ms': key.int({
    default: 60000,
    min: 0,
    importance: 'HIGH',
    noEffect: ONE_WORKER,
    documentation: 'The time within which each worker must join the group in a rebalance, in milliseconds.',
  }),
  'worker.sync.timeout.ms': key.int({
    default: 3000,
    min: 0,
    importance: 'MEDIUM',
    noEffect: ONE_WORKER,
    documentation:
      'How long a worker tries to read the latest configurations before it leaves the group, in milliseconds.',
  }),
  'worker.unsync.backoff.ms': key.int({
    default: 300000,
    min: 0,
    importance: 'MEDIUM',
    noEffect: ONE_WORKER,
    documentation:
      'How long a worker waits before it rejoins a group that it left after worker.sync.timeout.ms, in milliseconds.',
  }),
  'connect.protocol': key.string({
    default: 'sessioned',
    validator: oneOf(['eager', 'compatible', 'sessioned'], { ignoreCase: true }),
    importance: 'LOW',
    noEffect: ONE_WORKER,
    documentation: 'The protocol of the group: eager, compatible or sessioned.',
  }),
  'scheduled.rebalance.max.delay.ms': key.int({
    default: 300000,
    min: 0,
    importance: 'LOW',
    noEffect: ONE_WORKER,
    documentation:
      'How long the connectors and tasks of a lost worker wait for its return before other workers take them over, in milliseconds.',
  }),
})

const workerSecurityKeys = defineConfig({
  'inter.worker.key.generation.algorithm': key.string({
    default: 'HmacSHA256',
    validator: oneOf(HMAC),
    importance: 'LOW',
    documentation:
      'The algorithm of the session key that signs requests between workers. The worker stores session keys in the config topic, as Connect does.',
  }),
  'inter.worker.key.size': key.int({
    default: null,
    importance: 'LOW',
    documentation: 'The size of the session key, in bits. Default: the size that the algorithm uses.',
  }),
  'inter.worker.key.ttl.ms': key.int({
    default: 3600000,
    min: 0,
    importance: 'LOW',
    documentation: 'How long a session key is used before the worker creates a new one, in milliseconds.',
  }),
  'inter.worker.signature.algorithm': key.string({
    default: 'HmacSHA256',
    validator: oneOf(HMAC),
    importance: 'LOW',
    noEffect: ONE_WORKER,
    documentation: 'The algorithm with which a worker signs requests to other workers.',
  }),
  'inter.worker.verification.algorithms': key.list({
    default: ['HmacSHA256'],
    importance: 'LOW',
    noEffect: ONE_WORKER,
    documentation: 'The signature algorithms that a worker accepts from other workers.',
  }),
})

/** The keys of a distributed worker. Names and defaults are Connect's. */
export const distributedKeys = defineConfig({
  'group.id': key.string({
    validator: nonEmpty,
    importance: 'HIGH',
    documentation:
      'The name of the cluster of workers. It must differ from the names of all consumer groups. Workers with the same name share their connectors.',
  }),
  ...storageKeys,
  ...groupKeys,
  ...workerSecurityKeys,
  'exactly.once.source.support': key.string({
    default: 'disabled',
    validator: oneOf(['disabled', 'preparing'], { ignoreCase: true }),
    importance: 'HIGH',
    documentation:
      'Whether source connectors deliver exactly once. This version does not support it, so enabled is rejected.',
  }),
})
