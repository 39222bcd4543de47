import { defineConfig } from '../../common/config/define.ts'
import { nonEmpty, oneOf, range } from '../../common/config/validators.ts'

const topic = (what: string) =>
  ({
    type: 'STRING',
    importance: 'HIGH',
    documentation: `The topic that holds ${what}. Created, compacted, when it does not exist.`,
    validator: nonEmpty,
  }) as const

const replication = (what: string) =>
  ({
    type: 'SHORT',
    default: 3,
    importance: 'LOW',
    documentation: `The replication factor with which the topic of ${what} is created; -1 for the default of the broker.`,
    validator: replicas,
  }) as const

const partitions = (what: string, count: number) =>
  ({
    type: 'INT',
    default: count,
    importance: 'LOW',
    documentation: `The partitions with which the topic of ${what} is created; -1 for the default of the broker.`,
    validator: replicas,
  }) as const

const replicas = {
  describe: 'Positive number, or -1 to use the default of the broker',
  check: (value: unknown) =>
    value === -1 || (typeof value === 'number' && value >= 1)
      ? null
      : 'Value must be positive, or -1 to use the default of the broker',
}

/** What a worker of a group is configured with. Names and defaults are Connect's. */
export const distributedKeys = defineConfig({
  'group.id': {
    type: 'STRING',
    importance: 'HIGH',
    documentation: 'The name of the group of workers that share their connectors.',
    validator: nonEmpty,
  },
  'config.storage.topic': topic('the configurations of connectors'),
  'config.storage.replication.factor': replication('configurations'),
  'offset.storage.topic': topic('the offsets of source connectors'),
  'offset.storage.replication.factor': replication('offsets'),
  'offset.storage.partitions': partitions('offsets', 25),
  'status.storage.topic': topic('the statuses of connectors and tasks'),
  'status.storage.replication.factor': replication('statuses'),
  'status.storage.partitions': partitions('statuses', 5),
  'session.timeout.ms': {
    type: 'INT',
    default: 10000,
    importance: 'HIGH',
    documentation:
      'Without a heartbeat for this long a worker counts as dead, milliseconds. No effect yet: every worker is alone.',
    validator: range(1),
  },
  'heartbeat.interval.ms': {
    type: 'INT',
    default: 3000,
    importance: 'HIGH',
    documentation: 'How often a worker sends its heartbeat, milliseconds. No effect yet: every worker is alone.',
    validator: range(1),
  },
  'rebalance.timeout.ms': {
    type: 'INT',
    default: 60000,
    importance: 'HIGH',
    documentation:
      'How long each worker has to join the group in a rebalance, milliseconds. No effect yet: every worker is alone.',
    validator: range(0),
  },
  'worker.sync.timeout.ms': {
    type: 'INT',
    default: 3000,
    importance: 'MEDIUM',
    documentation:
      'How long a worker that is behind waits to catch up before it leaves the group, milliseconds. No effect yet: every worker is alone.',
    validator: range(0),
  },
  'worker.unsync.backoff.ms': {
    type: 'INT',
    default: 300000,
    importance: 'MEDIUM',
    documentation:
      'How long a worker that left because it was behind waits before it joins again, milliseconds. No effect yet: every worker is alone.',
    validator: range(0),
  },
  'connect.protocol': {
    type: 'STRING',
    default: 'sessioned',
    importance: 'LOW',
    documentation: 'The protocol of the group: eager, compatible or sessioned. No effect yet: every worker is alone.',
    validator: oneOf(['eager', 'compatible', 'sessioned'], { ignoreCase: true }),
  },
  'scheduled.rebalance.max.delay.ms': {
    type: 'INT',
    default: 300000,
    importance: 'LOW',
    documentation:
      'How long the work of a dead worker waits for its return, milliseconds. No effect yet: every worker is alone.',
    validator: range(0),
  },
  'inter.worker.key.generation.algorithm': {
    type: 'STRING',
    default: 'HmacSHA256',
    importance: 'LOW',
    documentation: 'How keys for requests between workers are made.',
    validator: oneOf(['HmacSHA1', 'HmacSHA256', 'HmacSHA384', 'HmacSHA512']),
  },
  'inter.worker.key.size': {
    type: 'INT',
    default: null,
    importance: 'LOW',
    documentation: 'The size of those keys, bits. Default: that of the algorithm.',
  },
  'inter.worker.key.ttl.ms': {
    type: 'INT',
    default: 3600000,
    importance: 'LOW',
    documentation: 'How long such a key is used, milliseconds.',
    validator: range(0),
  },
  'inter.worker.signature.algorithm': {
    type: 'STRING',
    default: 'HmacSHA256',
    importance: 'LOW',
    documentation: 'How requests between workers are signed. No effect yet: every worker is alone.',
    validator: oneOf(['HmacSHA1', 'HmacSHA256', 'HmacSHA384', 'HmacSHA512']),
  },
  'inter.worker.verification.algorithms': {
    type: 'LIST',
    default: ['HmacSHA256'],
    importance: 'LOW',
    documentation: 'The signatures that are accepted of other workers. No effect yet: every worker is alone.',
  },
  'exactly.once.source.support': {
    type: 'STRING',
    default: 'disabled',
    importance: 'HIGH',
    documentation: 'Whether source connectors run exactly-once. Only disabled is supported by this version.',
    validator: oneOf(['disabled', 'preparing'], { ignoreCase: true }),
  },
})
