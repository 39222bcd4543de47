import type { Logger } from '../common/log.ts'
import type { adminKeys } from './config/admin-keys.ts'
import type { commonClientConfig } from './config/common-keys.ts'
import type { consumerKeys } from './config/consumer-keys.ts'
import type { ClientOptionsOf, ClientSettingsOf } from './config/option-types.ts'
import type { producerKeys } from './config/producer-keys.ts'

/** The options that all clients have. docs/client.md describes every option. */
export type ClientOptions = ClientOptionsOf<typeof commonClientConfig> & {
  /** The logger of the client. Default: the logger `millrace.client.<kind>`. */
  readonly logger?: Logger | undefined
}

/**
 * The options of a producer. docs/client.md lists the option for each of Kafka's keys, such as
 * `lingerMs` for `linger.ms`. The units are those of the keys.
 */
export type ProducerOptions = ClientOptions & ClientOptionsOf<typeof producerKeys>

/**
 * The options of a consumer. Without a group id, a consumer can only read partitions that are
 * assigned with `assign`.
 */
export type ConsumerOptions = ClientOptions & ClientOptionsOf<typeof consumerKeys>

/** The options of an admin client. */
export type AdminOptions = ClientOptions & ClientOptionsOf<typeof adminKeys>

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface RecordHeader {
  readonly key: string
  readonly value: Buffer | null
}

export interface ProducerRecord {
  readonly topic: string
  /**
   * The partition. Default: derived from the hash of the key (murmur2), as in Java. Records without
   * a key go to one partition until its batch is full, and then to another partition.
   */
  readonly partition?: number | null
  readonly key: Buffer | null
  /** A string is sent as UTF-8. Passing a string is usually faster than passing a buffer. */
  readonly value: Buffer | string | null
  /** Milliseconds since 1970. Default: the current time. */
  readonly timestamp?: number | null
  readonly headers?: readonly RecordHeader[]
}

export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  /** The offset of the record; -1 with acks=0. */
  readonly offset: number
  readonly timestamp: number
}

/** The batch of a delivered record. It is valid only during the call that receives it. */
export interface DeliveredBatch {
  readonly topic: string
  /** The partition; -1 if the record failed before a partition was chosen. */
  readonly partition: number
  /**
   * Returns the offset of the record at an index. The offset is -1 if the record failed, and with
   * `acks=0`.
   */
  offsetOf(index: number): number
  /** Returns the timestamp of the record at an index, in milliseconds since 1970. */
  timestampOf(index: number): number
}

/**
 * Receives the outcome of every appended record, in order within a partition. Its methods must not
 * throw.
 */
export interface DeliveryListener {
  /**
   * Called once for each record. `token` is the value that was passed to `append`. `error` is null
   * if the broker has written the record. `index` is the position of the record in the batch.
   */
  onDelivery(token: number, error: Error | null, batch: DeliveredBatch, index: number): void
}

export type CompressionType = ClientSettingsOf<typeof producerKeys>['compressionType']

/**
 * The amount of data that a client has sent and received over all connections since it was created.
 */
export interface ClientTraffic {
  readonly incomingBytes: number
  readonly outgoingBytes: number
  /** The number of open connections. */
  readonly connections: number
  readonly connectionsCreated: number
}

export interface Producer {
  /**
   * Accepts a record without waiting for the broker. If `buffer.memory` is full, returns false and
   * does not accept the record. In this case, wait for `room()`, then append the record again. The
   * listener receives all errors. If a record can never be sent, the listener receives the error
   * before the next record is appended.
   */
  append(record: ProducerRecord, listener?: DeliveryListener, token?: number): boolean
  /** Resolves when there is space in `buffer.memory`, so that `append` accepts records again. */
  room(signal?: AbortSignal): Promise<void>
  /** Appends all records, and resolves when all are acknowledged. Rejects with the first error. */
  send(records: readonly ProducerRecord[], signal?: AbortSignal): Promise<RecordMetadata[]>
  /**
   * Sends all batches without waiting for `linger.ms`. Resolves when all records appended so far
   * are acknowledged or have failed.
   */
  flush(signal?: AbortSignal): Promise<void>
  /**
   * Fails the unsent records whose token is above `after`. Call it after a record has failed, so
   * that no later record is written before the failed one is sent again.
   */
  abortUnsent(after: number): void
  /**
   * Returns the partitions of a topic. Fetches the topic's metadata, which creates the topic if the
   * broker allows this.
   */
  partitionsFor(topic: string): Promise<readonly PartitionInfo[]>
  /**
   * Flushes and closes the producer. Records that are not acknowledged within `timeoutMs` fail.
   * Default: `delivery.timeout.ms`.
   */
  close(options?: { timeoutMs?: number }): Promise<void>
  traffic(): ClientTraffic
}

export interface PartitionInfo extends TopicPartition {
  readonly leader: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

export interface ConsumerRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  /** The type of the timestamp: -1 for none, 0 for CreateTime, 1 for LogAppendTime. */
  readonly timestampType: -1 | 0 | 1
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
  readonly leaderEpoch: number
}

/** Consecutive records of one partition. */
export interface ConsumerBatch extends TopicPartition {
  readonly records: readonly ConsumerRecord[]
  readonly highWatermark: number
}

export type { AssignorName } from './config/assignors.ts'

export interface OffsetAndMetadata {
  readonly offset: number
  readonly leaderEpoch?: number
  readonly metadata?: string
}

export interface TopicPartitionOffset extends TopicPartition, OffsetAndMetadata {}

/**
 * The equivalent of Kafka's ConsumerRebalanceListener. `poll` calls the listener's methods and
 * awaits them.
 */
export interface RebalanceListener {
  onPartitionsAssigned?(partitions: readonly TopicPartition[]): Promise<void> | void
  onPartitionsRevoked?(partitions: readonly TopicPartition[]): Promise<void> | void
  /**
   * Called when the member has lost its partitions. Offsets cannot be committed, because the
   * partitions may already belong to other members. If this method is missing,
   * `onPartitionsRevoked` is called.
   */
  onPartitionsLost?(partitions: readonly TopicPartition[]): Promise<void> | void
}

/** The membership of a consumer in its group, like Kafka's ConsumerGroupMetadata. */
export interface GroupMetadata {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/**
 * A consumer. It fetches records ahead of `poll`, up to `fetch.max.bytes`. It does not fetch from
 * paused partitions. Do not call `poll` while another call is in progress.
 */
export interface Consumer {
  subscribe(topics: readonly string[] | RegExp, listener?: RebalanceListener): void
  assign(partitions: readonly TopicPartition[]): void
  unsubscribe(): Promise<void>
  assignment(): readonly TopicPartition[]
  /**
   * Returns the subscribed topics. For a pattern, these are the existing topics that match the
   * pattern.
   */
  subscription(): readonly string[]
  /** Returns the subscribed topics that do not exist according to the latest metadata. */
  missingTopics(): readonly string[]
  /**
   * Returns at most `max.poll.records` records, in batches. Returns no batches if no records arrive
   * within `timeoutMs`, or if the signal aborts.
   */
  poll(timeoutMs: number, signal?: AbortSignal): Promise<readonly ConsumerBatch[]>
  /** Makes a pending `poll` return at once, with the records that are available. */
  wakeup(): void
  /**
   * Commits, for each partition, the offset of the next record to read. Default: the current
   * positions. Retries after retriable errors.
   */
  commit(offsets?: readonly TopicPartitionOffset[]): Promise<void>
  committed(partitions: readonly TopicPartition[]): Promise<(OffsetAndMetadata | null)[]>
  position(partition: TopicPartition): number | null
  seek(partition: TopicPartition, offset: number): void
  seekToBeginning(partitions: readonly TopicPartition[]): void
  seekToEnd(partitions: readonly TopicPartition[]): void
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  paused(): readonly TopicPartition[]
  beginningOffsets(partitions: readonly TopicPartition[]): Promise<number[]>
  endOffsets(partitions: readonly TopicPartition[]): Promise<number[]>
  /**
   * Returns, for each query, the offset of the first record whose timestamp is not earlier. Returns
   * null for a query if the partition has no such record.
   */
  offsetsForTimes(queries: readonly (TopicPartition & { readonly timestamp: number })[]): Promise<(number | null)[]>
  partitionsFor(topic: string): Promise<readonly PartitionInfo[]>
  /** Returns the membership; null while the consumer is not a member of a group. */
  groupMetadata(): GroupMetadata | null
  /**
   * Returns the pending join; null if the group is not rebalancing. The member id is '' until the
   * coordinator has assigned one.
   */
  joining(): { readonly memberId: string } | null
  /**
   * Closes the consumer. Commits first if `autoCommit` is set, then leaves the group. A static
   * member stays in the group.
   */
  close(options?: { timeoutMs?: number }): Promise<void>
  traffic(): ClientTraffic
}

export interface NewTopic {
  readonly name: string
  /** The number of partitions. Default: `num.partitions` of the broker. */
  readonly partitions?: number
  /** The replication factor. Default: `default.replication.factor` of the broker. */
  readonly replicationFactor?: number
  readonly configs?: Readonly<Record<string, string>>
}

export interface TopicDescription {
  readonly name: string
  readonly topicId: string
  readonly internal: boolean
  readonly partitions: readonly PartitionInfo[]
}

export interface ConfigEntry {
  readonly name: string
  readonly value: string | null
  readonly source: number
  readonly isDefault: boolean
  readonly sensitive: boolean
  readonly readOnly: boolean
}

export interface Admin {
  /**
   * Creates topics. Rejects with the error of the first topic that failed, such as
   * TOPIC_ALREADY_EXISTS.
   */
  createTopics(topics: readonly NewTopic[], options?: { validateOnly?: boolean; timeoutMs?: number }): Promise<void>
  deleteTopics(names: readonly string[], options?: { timeoutMs?: number }): Promise<void>
  createPartitions(counts: Readonly<Record<string, number>>): Promise<void>
  listTopics(): Promise<readonly TopicDescription[]>
  /** Returns the description of each topic, or null for a topic that does not exist. */
  describeTopics(names: readonly string[]): Promise<(TopicDescription | null)[]>
  describeConfigs(resource: { type: 'topic' | 'broker'; name: string }): Promise<readonly ConfigEntry[]>
  describeCluster(): Promise<{
    clusterId: string
    controllerId: number
    brokers: readonly { id: number; host: string; port: number }[]
  }>
  listOffsets(
    queries: readonly (TopicPartition & { readonly timestamp: number })[],
  ): Promise<{ offset: number; timestamp: number }[]>
  listGroups(): Promise<readonly { groupId: string; protocolType: string; state: string }[]>
  describeGroups(groupIds: readonly string[]): Promise<readonly GroupDescription[]>
  listGroupOffsets(groupId: string): Promise<readonly TopicPartitionOffset[]>
  alterGroupOffsets(groupId: string, offsets: readonly TopicPartitionOffset[]): Promise<void>
  /**
   * Deletes committed offsets. Rejects with GROUP_SUBSCRIBED_TO_TOPIC for a topic that a member of
   * the group consumes.
   */
  deleteGroupOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void>
  deleteGroups(groupIds: readonly string[]): Promise<void>
  close(): Promise<void>
}

export interface GroupDescription {
  readonly groupId: string
  readonly state: string
  readonly protocolType: string
  readonly protocol: string
  readonly members: readonly { memberId: string; clientId: string; host: string }[]
}
