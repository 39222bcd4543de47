import { defineConfig } from '../common/config/define.ts'
import { ConfigError, parseConfig, type RawConfig } from '../common/config/parse.ts'
import { listOf, nonEmpty, oneOf, range } from '../common/config/validators.ts'
import type { Logger } from '../common/log.ts'
import { parseAddresses } from './options.ts'
import type { AssignorName, ClientOptions, CompressionType, ConsumerOptions, ProducerOptions } from './types.ts'

/** Keys of all clients, with Kafka's names and defaults (CommonClientConfigs). */
export const commonClientConfig = defineConfig({
  'bootstrap.servers': {
    type: 'LIST',
    importance: 'HIGH',
    documentation: 'Addresses of some brokers, host:port, separated by commas.',
  },
  'client.id': {
    type: 'STRING',
    default: '',
    importance: 'MEDIUM',
    documentation: 'A name for the logs of the broker.',
  },
  'request.timeout.ms': {
    type: 'INT',
    default: 30_000,
    validator: range(0),
    importance: 'MEDIUM',
    documentation: 'How long to wait for the answer to a request.',
  },
  'metadata.max.age.ms': {
    type: 'LONG',
    default: 300_000,
    validator: range(0),
    importance: 'LOW',
    documentation: 'How often to refresh the metadata when nothing calls for it.',
  },
  'retry.backoff.ms': {
    type: 'LONG',
    default: 100,
    validator: range(0),
    importance: 'LOW',
    documentation: 'The first pause before trying again.',
  },
  'retry.backoff.max.ms': {
    type: 'LONG',
    default: 1000,
    validator: range(0),
    importance: 'LOW',
    documentation: 'The longest pause before trying again.',
  },
  'reconnect.backoff.ms': {
    type: 'LONG',
    default: 50,
    validator: range(0),
    importance: 'LOW',
    documentation: 'The first pause before connecting again.',
  },
  'reconnect.backoff.max.ms': {
    type: 'LONG',
    default: 1000,
    validator: range(0),
    importance: 'LOW',
    documentation: 'The longest pause before connecting again.',
  },
  'connections.max.idle.ms': {
    type: 'LONG',
    default: 540_000,
    validator: range(-1),
    importance: 'MEDIUM',
    documentation: 'Closes connections that have been idle for so long. -1: never.',
  },
  'socket.connection.setup.timeout.ms': {
    type: 'LONG',
    default: 10_000,
    validator: range(1),
    importance: 'MEDIUM',
    documentation: 'How long to wait for a connection.',
  },
  'security.protocol': {
    type: 'STRING',
    default: 'PLAINTEXT',
    validator: oneOf(['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']),
    importance: 'MEDIUM',
    documentation: 'How to talk to brokers. Only PLAINTEXT is there yet.',
  },
})

/** Keys of producers (ProducerConfig). */
export const producerConfig = defineConfig({
  acks: {
    type: 'STRING',
    default: 'all',
    validator: oneOf(['all', '-1', '0', '1']),
    importance: 'LOW',
    documentation: 'Who must have a record before it counts as sent.',
  },
  'enable.idempotence': {
    type: 'BOOLEAN',
    default: null,
    importance: 'LOW',
    documentation: 'Whether retries never write a record twice. Default: true where the other settings allow it.',
  },
  'max.in.flight.requests.per.connection': {
    type: 'INT',
    default: 5,
    validator: range(1),
    importance: 'LOW',
    documentation: 'How many requests may wait for an answer.',
  },
  'batch.size': {
    type: 'INT',
    default: 16_384,
    validator: range(0),
    importance: 'MEDIUM',
    documentation: 'How many bytes of records of a partition travel together.',
  },
  'linger.ms': {
    type: 'LONG',
    default: 5,
    validator: range(0),
    importance: 'MEDIUM',
    documentation: 'How long to wait for more records of a batch.',
  },
  'buffer.memory': {
    type: 'LONG',
    default: 33_554_432,
    validator: range(0),
    importance: 'HIGH',
    documentation: 'How many bytes of records may wait to be sent.',
  },
  'max.request.size': {
    type: 'INT',
    default: 1_048_576,
    validator: range(0),
    importance: 'MEDIUM',
    documentation: 'The largest request, and so the largest record, in bytes.',
  },
  'compression.type': {
    type: 'STRING',
    default: 'none',
    validator: oneOf(['none', 'gzip', 'snappy', 'lz4', 'zstd']),
    importance: 'HIGH',
    documentation: 'How batches are compressed.',
  },
  'delivery.timeout.ms': {
    type: 'INT',
    default: null,
    validator: range(0),
    importance: 'MEDIUM',
    documentation: 'How long a record may take to be acknowledged. Default: 120000.',
  },
  'max.block.ms': {
    type: 'LONG',
    default: 60_000,
    validator: range(0),
    importance: 'MEDIUM',
    documentation: 'How long a record waits for its topic to appear.',
  },
  'metadata.max.idle.ms': {
    type: 'LONG',
    default: 300_000,
    validator: range(5000),
    importance: 'LOW',
    documentation: 'A topic that is not written to for so long is no longer asked about.',
  },
  retries: {
    type: 'INT',
    default: 2_147_483_647,
    validator: range(0),
    importance: 'HIGH',
    documentation: 'How often a batch is sent again, within delivery.timeout.ms.',
  },
})

/** Keys of consumers (ConsumerConfig). `enable.auto.commit` and others have the defaults of this client, not always Kafka's. */
export const consumerConfig = defineConfig({
  'group.id': {
    type: 'STRING',
    default: null,
    importance: 'HIGH',
    documentation: 'The group with which partitions are shared.',
  },
  'group.instance.id': {
    type: 'STRING',
    default: null,
    validator: nonEmpty,
    importance: 'MEDIUM',
    documentation: 'Makes a static member, which may come back without a rebalance.',
  },
  'partition.assignment.strategy': {
    type: 'LIST',
    default: ['range', 'cooperative-sticky'],
    importance: 'MEDIUM',
    documentation: 'Assignors in order of preference, by short name or Java class.',
  },
  'auto.offset.reset': {
    type: 'STRING',
    default: 'latest',
    validator: oneOf(['earliest', 'latest', 'none']),
    importance: 'MEDIUM',
    documentation: 'Where to start without a committed offset.',
  },
  'enable.auto.commit': {
    type: 'BOOLEAN',
    default: false,
    importance: 'MEDIUM',
    documentation: 'Whether offsets are committed by themselves.',
  },
  'auto.commit.interval.ms': {
    type: 'INT',
    default: 5_000,
    validator: range(0),
    importance: 'LOW',
    documentation: 'How often.',
  },
  'session.timeout.ms': {
    type: 'INT',
    default: 45_000,
    validator: range(1),
    importance: 'HIGH',
    documentation: 'A member that is silent for so long is removed.',
  },
  'heartbeat.interval.ms': {
    type: 'INT',
    default: 3_000,
    validator: range(1),
    importance: 'HIGH',
    documentation: 'How often a member says that it is there.',
  },
  'max.poll.interval.ms': {
    type: 'INT',
    default: 300_000,
    validator: range(1),
    importance: 'MEDIUM',
    documentation: 'A member that does not poll for so long leaves the group.',
  },
  'max.poll.records': {
    type: 'INT',
    default: 500,
    validator: range(1),
    importance: 'MEDIUM',
    documentation: 'The most records that one poll returns.',
  },
  'fetch.min.bytes': {
    type: 'INT',
    default: 1,
    validator: range(0),
    importance: 'HIGH',
    documentation: 'The broker waits until there is so much.',
  },
  'fetch.max.bytes': {
    type: 'INT',
    default: 52_428_800,
    validator: range(1),
    importance: 'MEDIUM',
    documentation: 'The most bytes that one fetch brings, and that are fetched ahead.',
  },
  'fetch.max.wait.ms': {
    type: 'INT',
    default: 500,
    validator: range(0),
    importance: 'LOW',
    documentation: 'How long the broker waits for fetch.min.bytes.',
  },
  'max.partition.fetch.bytes': {
    type: 'INT',
    default: 1_048_576,
    validator: range(1),
    importance: 'HIGH',
    documentation: 'The most bytes of one partition that one fetch brings.',
  },
  'isolation.level': {
    type: 'STRING',
    default: 'read_uncommitted',
    validator: oneOf(['read_committed', 'read_uncommitted']),
    importance: 'MEDIUM',
    documentation: 'Whether records of open and aborted transactions are left out.',
  },
  'check.crcs': { type: 'BOOLEAN', default: true, importance: 'LOW', documentation: 'Whether checksums are compared.' },
  'client.rack': {
    type: 'STRING',
    default: '',
    importance: 'LOW',
    documentation: 'Where this client stands: it may then read from a replica nearby.',
  },
  'allow.auto.create.topics': {
    type: 'BOOLEAN',
    default: true,
    importance: 'MEDIUM',
    documentation: 'Whether subscribing to a topic may create it.',
  },
})

/** Java's class names of the assignors. */
const ASSIGNOR_CLASSES: Readonly<Record<string, AssignorName>> = {
  'org.apache.kafka.clients.consumer.RangeAssignor': 'range',
  'org.apache.kafka.clients.consumer.RoundRobinAssignor': 'roundrobin',
  'org.apache.kafka.clients.consumer.StickyAssignor': 'sticky',
  'org.apache.kafka.clients.consumer.CooperativeStickyAssignor': 'cooperative-sticky',
}
const ASSIGNOR_NAMES: readonly AssignorName[] = ['range', 'roundrobin', 'sticky', 'cooperative-sticky']

/** Keys of Kafka's clients that mean nothing here and are passed over in silence. */
const JAVA_ONLY =
  /^(key|value)\.(de)?serializer$|^(interceptor|metric|partitioner)|^metrics?\.|^(send|receive)\.buffer\.bytes$|^client\.dns\.lookup$|^enable\.metrics\.push$|^auto\.include\.jmx\.reporter$|^default\.api\.timeout\.ms$|^group\.protocol$|^metadata\.recovery/

export type ClientKind = 'producer' | 'consumer' | 'admin'

interface OptionsOf {
  producer: ProducerOptions
  consumer: ConsumerOptions
  admin: ClientOptions
}

const warned = new Set<string>()

/**
 * Options of a client out of Kafka's property names. Throws a ConfigError that names every wrong key; unknown keys are warned
 * of once. Without a kind: options that any client takes what it needs from, and no warnings.
 */
export function toClientOptions<K extends ClientKind>(kind: K, raw: RawConfig, logger?: Logger): OptionsOf[K]
export function toClientOptions(raw: RawConfig): ProducerOptions & ConsumerOptions
export function toClientOptions(
  first: ClientKind | RawConfig,
  second?: RawConfig,
  logger?: Logger,
): ProducerOptions | ConsumerOptions {
  if (typeof first === 'string') return optionsFor(first, second ?? {}, logger)
  return { ...optionsFor('producer', first), ...optionsFor('consumer', first) }
}

function optionsFor(kind: ClientKind, raw: RawConfig, logger?: Logger): ProducerOptions | ConsumerOptions {
  const own = kind === 'producer' ? producerConfig : kind === 'consumer' ? consumerConfig : {}
  const errors: { key: string; message: string }[] = []
  const common = parsed(() => parseConfig(commonClientConfig, raw), errors)
  const bootstrap = common?.['bootstrap.servers'] ?? []
  if (common) parsed(() => parseAddresses(bootstrap), errors)
  if (common && common['security.protocol'] !== 'PLAINTEXT') {
    const message = `Invalid value ${common['security.protocol']} for configuration security.protocol: only PLAINTEXT is supported yet`
    errors.push({ key: 'security.protocol', message })
  }
  const special =
    kind === 'producer' ? producerOptions(raw, errors) : kind === 'consumer' ? consumerOptions(raw, errors) : {}
  if (errors.length > 0 || !common) throw new ConfigError(errors)
  for (const key of Object.keys(raw)) {
    if (!logger || key in commonClientConfig || key in own || JAVA_ONLY.test(key) || warned.has(`${kind} ${key}`))
      continue
    warned.add(`${kind} ${key}`)
    logger.warn(`the configuration ${key} means nothing to a ${kind} and is ignored`)
  }
  return {
    bootstrapServers: bootstrap,
    ...(common['client.id'] === '' ? {} : { clientId: common['client.id'] }),
    requestTimeoutMs: common['request.timeout.ms'],
    metadataMaxAgeMs: common['metadata.max.age.ms'],
    retryBackoffMs: common['retry.backoff.ms'],
    retryBackoffMaxMs: common['retry.backoff.max.ms'],
    reconnectBackoffMs: common['reconnect.backoff.ms'],
    reconnectBackoffMaxMs: common['reconnect.backoff.max.ms'],
    connectionsMaxIdleMs: common['connections.max.idle.ms'],
    connectionSetupTimeoutMs: common['socket.connection.setup.timeout.ms'],
    ...(logger ? { logger } : {}),
    ...special,
  }
}

type OwnOptions<T> = Omit<T, keyof ClientOptions>

function producerOptions(raw: RawConfig, errors: { key: string; message: string }[]): OwnOptions<ProducerOptions> {
  const c = parsed(() => parseConfig(producerConfig, raw), errors)
  if (!c) return {}
  return {
    acks: c.acks === 'all' ? -1 : (Number(c.acks) as 0 | 1 | -1),
    ...(c['enable.idempotence'] === null ? {} : { idempotence: c['enable.idempotence'] }),
    maxInFlight: c['max.in.flight.requests.per.connection'],
    batchSize: c['batch.size'],
    lingerMs: c['linger.ms'],
    bufferMemory: c['buffer.memory'],
    maxRequestSize: c['max.request.size'],
    compressionType: c['compression.type'] as CompressionType,
    ...(c['delivery.timeout.ms'] === null ? {} : { deliveryTimeoutMs: c['delivery.timeout.ms'] }),
    maxBlockMs: c['max.block.ms'],
    metadataMaxIdleMs: c['metadata.max.idle.ms'],
    retries: c.retries,
  }
}

function consumerOptions(raw: RawConfig, errors: { key: string; message: string }[]): OwnOptions<ConsumerOptions> {
  const c = parsed(() => parseConfig(consumerConfig, raw), errors)
  if (!c) return {}
  const assignors = c['partition.assignment.strategy'].map(a => ASSIGNOR_CLASSES[a] ?? a)
  const wrong = listOf(ASSIGNOR_NAMES).check(assignors, 'partition.assignment.strategy')
  if (wrong) {
    const key = 'partition.assignment.strategy'
    errors.push({ key, message: `Invalid value ${assignors.join(',')} for configuration ${key}: ${wrong}` })
  }
  return {
    ...(c['group.id'] === null ? {} : { groupId: c['group.id'] }),
    ...(c['group.instance.id'] === null ? {} : { groupInstanceId: c['group.instance.id'] }),
    assignors: assignors as AssignorName[],
    autoOffsetReset: c['auto.offset.reset'] as 'earliest' | 'latest' | 'none',
    autoCommit: c['enable.auto.commit'],
    autoCommitIntervalMs: c['auto.commit.interval.ms'],
    sessionTimeoutMs: c['session.timeout.ms'],
    heartbeatIntervalMs: c['heartbeat.interval.ms'],
    maxPollIntervalMs: c['max.poll.interval.ms'],
    maxPollRecords: c['max.poll.records'],
    fetchMinBytes: c['fetch.min.bytes'],
    fetchMaxBytes: c['fetch.max.bytes'],
    fetchMaxWaitMs: c['fetch.max.wait.ms'],
    maxPartitionFetchBytes: c['max.partition.fetch.bytes'],
    isolationLevel: c['isolation.level'] as 'read_committed' | 'read_uncommitted',
    checkCrcs: c['check.crcs'],
    clientRack: c['client.rack'],
    allowAutoCreateTopics: c['allow.auto.create.topics'],
  }
}

/** Collects the errors of several parts, so that all are told at once. */
function parsed<T>(parse: () => T, errors: { key: string; message: string }[]): T | null {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    errors.push(...error.errors)
    return null
  }
}
