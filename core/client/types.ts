import type { Logger } from '../common/log.ts'
import type { adminKeys } from './config/admin-keys.ts'
import type { commonClientConfig } from './config/common-keys.ts'
import type { consumerKeys } from './config/consumer-keys.ts'
import type { ClientOptionsOf, ClientSettingsOf } from './config/option-types.ts'
import type { producerKeys } from './config/producer-keys.ts'

/** The options that all clients have in common. docs/client.md describes every option. */
export type ClientOptions = ClientOptionsOf<typeof commonClientConfig> & {
  /** The logger of the client. Default: the logger `millrace.client.<kind>`. */
  readonly logger?: Logger | undefined
}

/**
 * The options of a producer. Names and units are those of Kafka's keys: `lingerMs` is `linger.ms`.
 */
export type ProducerOptions = ClientOptions & ClientOptionsOf<typeof producerKeys>

/** The options of a consumer. Without a group id, a consumer can only be assigned partitions. */
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
   * Default: the partition given by the hash of the key (murmur2). Records without a key go to one
   * partition per batch.
   */
  readonly partition?: number | null
  readonly key: Buffer | null
  /** Text is sent as UTF-8. It is faster than a buffer. */
  readonly value: Buffer | string | null
  /** In milliseconds since 1970. Default: now. */
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

/** The batch of a delivered record. Use it only during the call that receives it. */
export interface DeliveredBatch {
  readonly topic: string
  /** The partition; -1 if the record failed before a partition was chosen. */
  readonly partition: number
  /** The offset of the record at an index; -1 if it failed, and with `acks=0`. */
  offsetOf(index: number): number
  /** The timestamp of the record at an index, in milliseconds since 1970. */
  timestampOf(index: number): number
}

/** Receives the outcome of every appended record, in order within a partition. Must not throw. */
export interface DeliveryListener {
  /**
   * Called once for each record. `token` is the one that was passed to `append`. `error` is null if
   * the broker has written the record. `index` is the place of the record in the batch.
   */
  onDelivery(token: number, error: Error | null, batch: DeliveredBatch, index: number): void
}

export type CompressionType = ClientSettingsOf<typeof producerKeys>['compressionType']

/** What a client has sent and received since it was created, over all of its connections. */
export interface ClientTraffic {
  readonly incomingBytes: number
  readonly outgoingBytes: number
  /** Open connections. */
  readonly connections: number
  readonly connectionsCreated: number
}

export interface Producer {
  /**
   * Accepts a record without waiting for the broker. Returns false if `buffer.memory` is full: then
   * the record is not accepted. Wait for `room()` and append it again. All errors go to the
   * listener, before the next record is appended if the record can never be sent.
   */
  append(record: ProducerRecord, listener?: DeliveryListener, token?: number): boolean
  /** Resolves when `append` accepts records again. */
  room(signal?: AbortSignal): Promise<void>
  /** Appends all records and waits until all are acknowledged. Rejects with the first error. */
  send(records: readonly ProducerRecord[], signal?: AbortSignal): Promise<RecordMetadata[]>
  /**
   * Sends all batches without waiting for `linger.ms`. Resolves when all records appended so far
   * are acknowledged or have failed.
   */
  flush(signal?: AbortSignal): Promise<void>
  /**
   * Fails unsent records with a token above `after`, so that no later record overtakes a failed
   * one.
   */
  abortUnsent(after: number): void
  /**
   * The partitions of a topic. Fetches its metadata, which creates the topic if the broker allows
   * it.
   */
  partitionsFor(topic: string): Promise<readonly PartitionInfo[]>
  /**
   * Flushes, then closes. Records that are not acknowledged within the timeout fail. Default:
   * `delivery.timeout.ms`.
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

/** As Kafka's ConsumerRebalanceListener. `poll` calls the methods and awaits them. */
export interface RebalanceListener {
  onPartitionsAssigned?(partitions: readonly TopicPartition[]): Promise<void> | void
  onPartitionsRevoked?(partitions: readonly TopicPartition[]): Promise<void> | void
  /**
   * The partitions already belong to other members, so their offsets cannot be committed. Default:
   * `onPartitionsRevoked`.
   */
  onPartitionsLost?(partitions: readonly TopicPartition[]): Promise<void> | void
}

/** The membership of a consumer in its group, as Kafka's ConsumerGroupMetadata. */
export interface GroupMetadata {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/**
 * A consumer. Do not call `poll` while another call is running. Records are fetched ahead, up to
 * `fetch.max.bytes`. Paused partitions are not fetched.
 */
export interface Consumer {
  subscribe(topics: readonly string[] | RegExp, listener?: RebalanceListener): void
  assign(partitions: readonly TopicPartition[]): void
  unsubscribe(): Promise<void>
  assignment(): readonly TopicPartition[]
  /** The subscribed topics. With a pattern, the topics that match it now. */
  subscription(): readonly string[]
  /** The subscribed topics that do not exist, according to the latest metadata. */
  missingTopics(): readonly string[]
  /**
   * Returns at most `max.poll.records` records, in batches. Returns no batches if no records arrive
   * within `timeoutMs`, or if the signal aborts.
   */
  poll(timeoutMs: number, signal?: AbortSignal): Promise<readonly ConsumerBatch[]>
  /** Makes a running `poll` return at once, with the records that it has. */
  wakeup(): void
  /**
   * Commits the offsets of the next records to read. Default: the current positions. Retries after
   * retriable errors.
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
  /** The first offset at or after each time, or null if there are no such records. */
  offsetsForTimes(queries: readonly (TopicPartition & { readonly timestamp: number })[]): Promise<(number | null)[]>
  partitionsFor(topic: string): Promise<readonly PartitionInfo[]>
  /** Returns the membership; null while the consumer is not a member of a group. */
  groupMetadata(): GroupMetadata | null
  /**
   * The pending join; null unless the consumer waits for its group to rebalance. The id may be ''.
   */
  joining(): { readonly memberId: string } | null
  /** Commits, if autoCommit is on, and leaves the group. A static member stays in the group. */
  close(options?: { timeoutMs?: number }): Promise<void>
  traffic(): ClientTraffic
}

export interface NewTopic {
  readonly name: string
  /** Default: `num.partitions` of the broker. */
  readonly partitions?: number
  /** Default: `default.replication.factor` of the broker. */
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
  /** Rejects with the error of the first topic that failed, such as TOPIC_ALREADY_EXISTS. */
  createTopics(topics: readonly NewTopic[], options?: { validateOnly?: boolean; timeoutMs?: number }): Promise<void>
  deleteTopics(names: readonly string[], options?: { timeoutMs?: number }): Promise<void>
  createPartitions(counts: Readonly<Record<string, number>>): Promise<void>
  listTopics(): Promise<readonly TopicDescription[]>
  /** Describes topics. The result is null for a topic that does not exist. */
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
  /** Rejects with GROUP_SUBSCRIBED_TO_TOPIC for topics that a member of the group consumes. */
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
