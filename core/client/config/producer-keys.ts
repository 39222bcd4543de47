import { defineConfig } from '../../common/config/define.ts'
import { key } from '../../common/config/key.ts'
import { nonEmpty, oneOf, rangeOr } from '../../common/config/validators.ts'
import { commonClientConfig } from './common-keys.ts'
import { distinctNames } from './distinct.ts'
import { JAVA_ONLY, NO_TRANSACTIONS } from './no-effect.ts'
import { securityConfig } from './security-keys.ts'

const LEVEL = 'Each compression codec uses its default level.'
const PARTITIONER =
  "The hash of a record's key determines its partition. Records without a key go to one partition until its batch is full, and then to another."

/** The settings that only producers have (Kafka's ProducerConfig). */
export const producerKeys = defineConfig({
  acks: key.string({
    default: 'all',
    validator: oneOf(['all', '-1', '0', '1']),
    importance: 'LOW',
    option: 'acks',
    documentation:
      'Which replicas must store a record before the broker acknowledges it. all or -1: all in-sync replicas, which is the safest. 1: the leader only, so an acknowledged record is lost if the leader fails before it is replicated. 0: the client does not wait for an acknowledgement.',
  }),
  'enable.idempotence': key.boolean({
    default: true,
    importance: 'LOW',
    option: 'idempotence',
    documentation:
      'Whether the broker discards duplicates that retries cause, and keeps the order of records. Requires acks=all, retries above 0 and at most 5 requests in flight. If you do not set this key and the other settings do not meet these requirements, idempotence is off.',
  }),
  'max.in.flight.requests.per.connection': key.int({
    default: 5,
    min: 1,
    importance: 'LOW',
    option: 'maxInFlight',
    documentation:
      'The maximum number of unacknowledged requests per connection. At most 5 with enable.idempotence. Without idempotence, a value above 1 can change the order of records when a request is retried.',
  }),
  'batch.size': key.int({
    default: 16_384,
    min: 0,
    importance: 'MEDIUM',
    option: 'batchSize',
    documentation:
      'The size in bytes at which the producer sends a batch of records of one partition. Larger batches increase throughput and compress better, but need more memory.',
  }),
  'linger.ms': key.long({
    default: 5,
    min: 0,
    importance: 'MEDIUM',
    option: 'lingerMs',
    documentation:
      'The time that a batch waits for more records before it is sent, in milliseconds. A full batch is sent at once. Increase it for larger batches. Set 0 for the lowest latency.',
  }),
  'buffer.memory': key.long({
    default: 33_554_432,
    min: 0,
    importance: 'HIGH',
    option: 'bufferMemory',
    documentation:
      'The memory for records that are not yet acknowledged, in bytes. When it is full, the producer accepts no more records until some are acknowledged.',
  }),
  'max.request.size': key.int({
    default: 1_048_576,
    min: 0,
    importance: 'MEDIUM',
    option: 'maxRequestSize',
    documentation:
      'The maximum size of a request, in bytes. It limits the size of a record before compression. The broker has its own limit, message.max.bytes.',
  }),
  'compression.type': key.string({
    default: 'none',
    validator: oneOf(['none', 'gzip', 'snappy', 'lz4', 'zstd']),
    importance: 'HIGH',
    option: 'compressionType',
    documentation:
      'The codec that compresses each batch: none, gzip, snappy, lz4 or zstd. zstd usually gives the smallest batches, lz4 costs the least CPU time.',
  }),
  'compression.gzip.level': key.int({
    default: -1,
    validator: rangeOr(-1, 1, 9),
    importance: 'MEDIUM',
    noEffect: LEVEL,
    documentation: 'The compression level for compression.type=gzip. -1 is the default of the codec.',
  }),
  'compression.lz4.level': key.int({
    default: 9,
    min: 1,
    max: 17,
    importance: 'MEDIUM',
    noEffect: LEVEL,
    documentation: 'The compression level for compression.type=lz4.',
  }),
  'compression.zstd.level': key.int({
    default: 3,
    min: -131_072,
    max: 22,
    importance: 'MEDIUM',
    noEffect: LEVEL,
    documentation: 'The compression level for compression.type=zstd.',
  }),
  'delivery.timeout.ms': key.int({
    default: 120_000,
    min: 0,
    importance: 'MEDIUM',
    option: 'deliveryTimeoutMs',
    documentation:
      'The time from accepting a record to its acknowledgement, in milliseconds, retries included. After that the record fails. Must be at least linger.ms + request.timeout.ms. If you do not set this key, it is raised to that sum where necessary.',
  }),
  'max.block.ms': key.long({
    default: 60_000,
    min: 0,
    importance: 'MEDIUM',
    option: 'maxBlockMs',
    documentation:
      'The time that a record waits for the metadata of its topic, in milliseconds. After that the record fails, for example because the topic does not exist.',
  }),
  'metadata.max.idle.ms': key.long({
    default: 300_000,
    min: 5000,
    importance: 'LOW',
    option: 'metadataMaxIdleMs',
    documentation:
      'The time after which the producer forgets the metadata of a topic to which it sends no records, in milliseconds.',
  }),
  retries: key.int({
    default: 2_147_483_647,
    min: 0,
    max: 2_147_483_647,
    importance: 'HIGH',
    option: 'retries',
    documentation:
      'The maximum number of times a batch is sent again after a retriable error. The default retries until delivery.timeout.ms has passed. Change that timeout rather than this key.',
  }),
  'partitioner.class': key.class({
    default: null,
    importance: 'MEDIUM',
    noEffect: PARTITIONER,
    documentation: 'The Java class that chooses the partition of a record.',
  }),
  'partitioner.ignore.keys': key.boolean({
    default: false,
    importance: 'MEDIUM',
    noEffect: PARTITIONER,
    documentation: 'Whether records with a key are distributed like records without a key.',
  }),
  'partitioner.adaptive.partitioning.enable': key.boolean({
    default: true,
    importance: 'LOW',
    noEffect: PARTITIONER,
    documentation: 'Whether faster brokers get more of the records without a key.',
  }),
  'partitioner.availability.timeout.ms': key.long({
    default: 0,
    min: 0,
    importance: 'LOW',
    noEffect: PARTITIONER,
    documentation:
      'The time after which a broker that accepts no requests gets no more records without a key, in milliseconds. 0 means never.',
  }),
  'transactional.id': key.string({
    default: null,
    validator: nonEmpty,
    importance: 'LOW',
    noEffect: NO_TRANSACTIONS,
    documentation: 'The id under which the producer resumes its transactions after a restart.',
  }),
  'transaction.timeout.ms': key.int({
    default: 60_000,
    importance: 'LOW',
    noEffect: NO_TRANSACTIONS,
    documentation: 'The time after which the broker aborts an open transaction, in milliseconds.',
  }),
  'transaction.two.phase.commit.enable': key.boolean({
    default: false,
    importance: 'LOW',
    noEffect: NO_TRANSACTIONS,
    documentation: 'Whether the producer takes part in transactions that another system coordinates.',
  }),
  'interceptor.classes': key.list({
    default: [],
    validator: distinctNames,
    importance: 'LOW',
    noEffect: 'Interceptors are Java classes.',
    documentation: 'Java classes that see or change each record before it is sent.',
  }),
  'key.serializer': key.class({
    default: null,
    importance: 'HIGH',
    noEffect: JAVA_ONLY,
    documentation: 'The Java class that converts keys to bytes. This client takes keys as bytes.',
  }),
  'value.serializer': key.class({
    default: null,
    importance: 'HIGH',
    noEffect: JAVA_ONLY,
    documentation: 'The Java class that converts values to bytes. This client takes values as bytes or text.',
  }),
})

/** All settings of a producer. */
export const producerConfig = defineConfig({
  ...commonClientConfig,
  'receive.buffer.bytes': { ...commonClientConfig['receive.buffer.bytes'], default: 32_768 },
  ...securityConfig,
  ...producerKeys,
})
