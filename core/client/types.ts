import type { Logger } from '../common/log.ts'
import type { adminKeys } from './config/admin-keys.ts'
import type { commonClientConfig } from './config/common-keys.ts'
import type { consumerKeys } from './config/consumer-keys.ts'
import type { ClientOptionsOf, ClientSettingsOf } from './config/option-types.ts'
import type { producerKeys } from './config/producer-keys.ts'

/** The options that all clients have in common. Their keys in docs/client.md say what they do. */
export type ClientOptions = ClientOptionsOf<typeof commonClientConfig> & {
  /** Where the client logs. Default: the logger `millrace.client.<kind>`. */
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
  /** Null or absent: by the partitioner (murmur2 of the key; sticky without one). */
  readonly partition?: number | null
  readonly key: Buffer | null
  /** Text is sent as UTF-8, and is cheaper than a buffer. */
  readonly value: Buffer | string | null
  /** Default: now. */
  readonly timestamp?: number | null
  readonly headers?: readonly RecordHeader[]
}

export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  /** -1 with acks=0. */
  readonly offset: number
  readonly timestamp: number
}

/** The batch of a delivered record. Use it only during the call that receives it. */
export interface DeliveredBatch {
  readonly topic: string
  /** -1 if the record failed before a partition was chosen. */
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
   * Takes a record without waiting; a record that can never be sent fails before this returns.
   * False when `buffer.memory` is used up: the record was NOT taken; wait for `room()` and give it
   * again. Errors that come later (unknown topic, too large, timed out) go to the listener.
   */
  append(record: ProducerRecord, listener?: DeliveryListener, token?: number): boolean
  /** Resolves when `append` has room again. */
  room(signal?: AbortSignal): Promise<void>
  /** Convenience: appends all, waits for all acks; rejects with the first error. */
  send(records: readonly ProducerRecord[], signal?: AbortSignal): Promise<RecordMetadata[]>
  /**
   * Sends what waits for its linger and resolves when everything appended so far has been acked or
   * has failed.
   */
  flush(signal?: AbortSignal): Promise<void>
  /**
   * Fails unsent records with a token above `after`, so that no later record overtakes a failed
   * one.
   */
  abortUnsent(after: number): void
  /**
   * The partitions of a topic (fetches metadata; creates the topic where the broker does so
   * automatically).
   */
  partitionsFor(topic: string): Promise<readonly PartitionInfo[]>
  /** Flushes, within the timeout (default: delivery timeout), then closes; what is left fails. */
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
  /** -1 none, 0 CreateTime, 1 LogAppendTime. */
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

/** Called within `poll`, awaited, as ConsumerRebalanceListener. */
export interface RebalanceListener {
  onPartitionsAssigned?(partitions: readonly TopicPartition[]): Promise<void> | void
  onPartitionsRevoked?(partitions: readonly TopicPartition[]): Promise<void> | void
  /** The partitions are already someone else's: do not commit. Default: as revoked. */
  onPartitionsLost?(partitions: readonly TopicPartition[]): Promise<void> | void
}

/** Who a consumer is in its group, as Kafka's ConsumerGroupMetadata. */
export interface GroupMetadata {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/**
 * One consumer, not to be polled concurrently. Fetches ahead, bounded in bytes; paused partitions
 * are not fetched.
 */
export interface Consumer {
  subscribe(topics: readonly string[] | RegExp, listener?: RebalanceListener): void
  assign(partitions: readonly TopicPartition[]): void
  unsubscribe(): Promise<void>
  assignment(): readonly TopicPartition[]
  /** The subscribed topics; with a pattern, those that match it now. */
  subscription(): readonly string[]
  /** Those of them that, as far as is known, do not exist. */
  missingTopics(): readonly string[]
  /**
   * At most `maxPollRecords` records, as batches; empty after `timeoutMs` without any, or when the
   * signal aborts.
   */
  poll(timeoutMs: number, signal?: AbortSignal): Promise<readonly ConsumerBatch[]>
  /** Ends a running `poll` early, with what there is. */
  wakeup(): void
  /**
   * Commits these offsets (the next to read), or the positions where none are given. Retries what
   * is retriable.
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
  /** The first offset at or after each time; null past the end. */
  offsetsForTimes(queries: readonly (TopicPartition & { readonly timestamp: number })[]): Promise<(number | null)[]>
  partitionsFor(topic: string): Promise<readonly PartitionInfo[]>
  /** Null while it is not a member of a group. */
  groupMetadata(): GroupMetadata | null
  /**
   * The pending join; null unless the consumer waits for its group to rebalance. The id may be ''.
   */
  joining(): { readonly memberId: string } | null
  /** Leaves the group (unless static), commits first where autoCommit is on. */
  close(options?: { timeoutMs?: number }): Promise<void>
  traffic(): ClientTraffic
}

export interface NewTopic {
  readonly name: string
  /** Default -1: the broker's. */
  readonly partitions?: number
  /** Default -1: the broker's. */
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
   * Rejects with the broker's error, such as TOPIC_ALREADY_EXISTS, of the first topic that failed.
   */
  createTopics(topics: readonly NewTopic[], options?: { validateOnly?: boolean; timeoutMs?: number }): Promise<void>
  deleteTopics(names: readonly string[], options?: { timeoutMs?: number }): Promise<void>
  createPartitions(counts: Readonly<Record<string, number>>): Promise<void>
  listTopics(): Promise<readonly TopicDescription[]>
  /** Null for a topic that does not exist. */
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
  /** Of topics that no member of the group reads; others reject with GROUP_SUBSCRIBED_TO_TOPIC. */
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
