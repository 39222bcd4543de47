import { defineConfig } from '../../common/config/define.ts'
import { key } from '../../common/config/key.ts'
import { nonEmpty, oneOf } from '../../common/config/validators.ts'
import { assignorList } from './assignors.ts'
import { commonClientConfig } from './common-keys.ts'
import { distinctNames } from './distinct.ts'
import { JAVA_ONLY } from './no-effect.ts'
import { securityConfig } from './security-keys.ts'

const NO_SHARE_GROUPS = 'Share groups are not supported yet.'
const CLASSIC = 'The client uses the classic group protocol.'

/** `default.api.timeout.ms`, which both consumers and admin clients have. */
export const apiTimeoutKey = key.int({
  default: 60_000,
  min: 0,
  importance: 'MEDIUM',
  option: 'apiTimeoutMs',
  documentation:
    'The default timeout of calls such as a commit of offsets or a list of topics, in milliseconds. It includes retries.',
})

/** The settings that only consumers have (Kafka's ConsumerConfig). */
export const consumerKeys = defineConfig({
  'group.id': key.string({
    default: null,
    importance: 'HIGH',
    option: 'groupId',
    documentation:
      'The name of the consumer group. The members of a group share the partitions of the subscribed topics. Required for subscribing and for committing offsets.',
  }),
  'group.instance.id': key.string({
    default: null,
    validator: nonEmpty,
    importance: 'MEDIUM',
    option: 'groupInstanceId',
    documentation:
      'A unique name that makes the consumer a static member of its group. A static member can restart within session.timeout.ms without a rebalance.',
  }),
  'partition.assignment.strategy': key.list({
    default: ['range', 'cooperative-sticky'],
    validator: assignorList,
    importance: 'MEDIUM',
    option: 'assignors',
    documentation:
      'How a group assigns partitions to its members, in order of preference: range, roundrobin, sticky or cooperative-sticky. The group uses the first strategy that all members support. With cooperative-sticky, members keep most of their partitions during a rebalance.',
  }),
  'auto.offset.reset': key.string({
    default: 'latest',
    validator: oneOf(['earliest', 'latest', 'none']),
    importance: 'MEDIUM',
    option: 'autoOffsetReset',
    documentation:
      'Where to start if a partition has no committed offset, or if that offset is no longer in the log. earliest: at the first record. latest: at the next new record. none: fail.',
  }),
  'enable.auto.commit': key.boolean({
    default: false,
    importance: 'MEDIUM',
    option: 'autoCommit',
    documentation:
      'Whether the consumer commits offsets automatically, at the interval auto.commit.interval.ms. It commits the offsets of the records that poll has returned. Unlike in Kafka, the default is false.',
  }),
  'auto.commit.interval.ms': key.int({
    default: 5000,
    min: 0,
    importance: 'LOW',
    option: 'autoCommitIntervalMs',
    documentation: 'The interval between automatic commits, in milliseconds. Used with enable.auto.commit.',
  }),
  'session.timeout.ms': key.int({
    default: 45_000,
    min: 1,
    importance: 'HIGH',
    option: 'sessionTimeoutMs',
    documentation:
      'The coordinator removes a member that sends no heartbeat for this long, in milliseconds. The partitions of the member are then assigned to other members. Must be between group.min.session.timeout.ms and group.max.session.timeout.ms of the broker.',
  }),
  'heartbeat.interval.ms': key.int({
    default: 3000,
    min: 1,
    importance: 'HIGH',
    option: 'heartbeatIntervalMs',
    documentation:
      'The interval between heartbeats to the group coordinator, in milliseconds. Must be lower than session.timeout.ms, and should be at most a third of it. If you do not set this key, it is at most a third of session.timeout.ms.',
  }),
  'max.poll.interval.ms': key.int({
    default: 300_000,
    min: 1,
    importance: 'MEDIUM',
    option: 'maxPollIntervalMs',
    documentation:
      'The longest time between two polls, in milliseconds. A member that takes longer leaves the group, and its partitions go to other members. Increase it if processing a batch takes longer.',
  }),
  'max.poll.records': key.int({
    default: 500,
    min: 1,
    importance: 'MEDIUM',
    option: 'maxPollRecords',
    documentation: 'The maximum number of records that one poll returns. It does not change how records are fetched.',
  }),
  'fetch.min.bytes': key.int({
    default: 1,
    min: 0,
    importance: 'HIGH',
    option: 'fetchMinBytes',
    documentation:
      'The broker waits until this many bytes are available, or until fetch.max.wait.ms has passed. Increase it to reduce the number of requests, at the cost of latency.',
  }),
  'fetch.max.bytes': key.int({
    default: 52_428_800,
    min: 0,
    importance: 'MEDIUM',
    option: 'fetchMaxBytes',
    documentation:
      'The maximum number of bytes in the response to a fetch. It is also the maximum number of bytes that the consumer fetches ahead of poll. The first batch of the response is returned even if it is larger, so that the consumer can make progress.',
  }),
  'fetch.max.wait.ms': key.int({
    default: 500,
    min: 0,
    importance: 'LOW',
    option: 'fetchMaxWaitMs',
    documentation: 'The longest time that the broker waits for fetch.min.bytes, in milliseconds.',
  }),
  'max.partition.fetch.bytes': key.int({
    default: 1_048_576,
    min: 0,
    importance: 'HIGH',
    option: 'maxPartitionFetchBytes',
    documentation:
      'The maximum number of bytes per partition in the response to a fetch. The first batch of the response is returned even if it is larger, so that the consumer can make progress.',
  }),
  'isolation.level': key.string({
    default: 'read_uncommitted',
    validator: oneOf(['read_committed', 'read_uncommitted']),
    importance: 'MEDIUM',
    option: 'isolationLevel',
    documentation:
      'read_committed returns only records of committed transactions and records without a transaction. read_uncommitted returns all records, also those of open or aborted transactions.',
  }),
  'check.crcs': key.boolean({
    default: true,
    importance: 'LOW',
    option: 'checkCrcs',
    documentation:
      'Whether the consumer checks the checksum of each batch, which detects corrupted data. Turn it off only to save CPU time.',
  }),
  'client.rack': key.string({
    default: '',
    importance: 'LOW',
    option: 'clientRack',
    documentation: 'The rack of this client. The broker may let the client read from a replica in the same rack.',
  }),
  'allow.auto.create.topics': key.boolean({
    default: true,
    importance: 'MEDIUM',
    option: 'allowAutoCreateTopics',
    documentation:
      'Whether subscribing to a topic that does not exist creates it. The broker must allow this too, with auto.create.topics.enable.',
  }),
  'default.api.timeout.ms': apiTimeoutKey,
  'exclude.internal.topics': key.boolean({
    default: true,
    importance: 'MEDIUM',
    option: 'excludeInternalTopics',
    documentation: 'Whether a subscription by pattern ignores internal topics, such as __consumer_offsets.',
  }),
  'group.protocol': key.string({
    default: 'classic',
    validator: oneOf(['CONSUMER', 'CLASSIC'], { ignoreCase: true }),
    importance: 'HIGH',
    noEffect: CLASSIC,
    documentation: 'The group protocol: classic, or consumer for the protocol of KIP-848.',
  }),
  'group.remote.assignor': key.string({
    default: null,
    importance: 'MEDIUM',
    noEffect: CLASSIC,
    documentation: 'The assignor of the broker, for group.protocol=consumer.',
  }),
  'share.acknowledgement.mode': key.string({
    default: 'implicit',
    validator: oneOf(['implicit', 'explicit']),
    importance: 'MEDIUM',
    noEffect: NO_SHARE_GROUPS,
    documentation:
      'How a share consumer acknowledges records. explicit: the application acknowledges each record. implicit: the next poll acknowledges all records of the previous poll.',
  }),
  'share.acquire.mode': key.string({
    default: 'BATCH_OPTIMIZED',
    validator: oneOf(['batch_optimized', 'record_limit'], { ignoreCase: true }),
    importance: 'MEDIUM',
    noEffect: NO_SHARE_GROUPS,
    documentation: 'Whether a share consumer acquires whole batches or at most max.poll.records records.',
  }),
  'interceptor.classes': key.list({
    default: [],
    validator: distinctNames,
    importance: 'LOW',
    noEffect: 'Interceptors are Java classes.',
    documentation: 'Java classes that see or change each record before it is returned.',
  }),
  'key.deserializer': key.class({
    default: null,
    importance: 'HIGH',
    noEffect: JAVA_ONLY,
    documentation: 'The Java class that converts bytes to keys. This client returns keys as bytes.',
  }),
  'value.deserializer': key.class({
    default: null,
    importance: 'HIGH',
    noEffect: JAVA_ONLY,
    documentation: 'The Java class that converts bytes to values. This client returns values as bytes.',
  }),
})

/** All settings of a consumer. */
export const consumerConfig = defineConfig({
  ...commonClientConfig,
  'client.id': { ...commonClientConfig['client.id'], importance: 'LOW' },
  ...securityConfig,
  ...consumerKeys,
})
