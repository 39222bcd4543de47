import type { TopicImage } from './image.ts'

/** A rejection: one of Kafka's error codes, and the message for the client. */
export interface Refusal {
  readonly code: number
  readonly message: string | null
}

export interface NewTopic {
  readonly name: string
  /**
   * The number of partitions. -1 means the broker's `num.partitions`. Must be -1 if there are
   * `assignments`.
   */
  readonly numPartitions: number
  /**
   * The number of replicas. -1 means the broker's `default.replication.factor`. Must be -1 if there
   * are `assignments`.
   */
  readonly replicationFactor: number
  readonly assignments: ReadonlyArray<{ readonly partition: number; readonly brokerIds: readonly number[] }>
  readonly configs: ReadonlyArray<{ readonly name: string; readonly value: string | null }>
}

/** The result of one item of a request: an error or a value. */
export type Outcome<T> =
  | { readonly error: Refusal; readonly value?: undefined }
  | { readonly error: null; readonly value: T }

export interface NewPartitions {
  readonly name: string
  /** The new total number of partitions. */
  readonly count: number
  /** The replicas of each added partition. If null, the broker chooses them. */
  readonly assignments: ReadonlyArray<readonly number[]> | null
}

/**
 * A change of one key. `op` is the operation, as in AlterConfigOp.OpType: 0 set, 1 delete, 2
 * append, 3 subtract.
 */
export interface ConfigOp {
  readonly name: string
  readonly op: 0 | 1 | 2 | 3
  readonly value: string | null
}

export interface ConfigChange {
  readonly resourceType: number
  readonly resourceName: string
  readonly ops: readonly ConfigOp[]
  /**
   * True for the older AlterConfigs, in which keys that a request omits revert to their defaults.
   */
  readonly replaceAll?: boolean
}

/** A block of unique producer ids: `first` to `first + count - 1`. */
export interface ProducerIdBlock {
  readonly first: number
  readonly count: number
}

/**
 * Changes the cluster's metadata. The promise that a method returns resolves when the records are
 * in the metadata log, the image contains them, and the logs of new partitions exist. It rejects if
 * the metadata log could not be written. Logs of removed partitions are removed in the background.
 * Outcomes are in the order of the request.
 */
export interface Controller {
  createTopics(topics: readonly NewTopic[], options?: { validateOnly?: boolean }): Promise<Outcome<TopicImage>[]>
  deleteTopics(ids: readonly string[]): Promise<Outcome<TopicImage>[]>
  createPartitions(
    topics: readonly NewPartitions[],
    options?: { validateOnly?: boolean },
  ): Promise<Outcome<TopicImage>[]>
  alterConfigs(changes: readonly ConfigChange[], options?: { validateOnly?: boolean }): Promise<Outcome<null>[]>
  /** Allocates the next 1000 producer ids. They are never allocated again, even after a restart. */
  allocateProducerIds(): Promise<ProducerIdBlock>
  /**
   * Returns the topic with this name. If the topic does not exist, creates it, even if
   * `auto.create.topics.enable` is false. Internal topics (`__consumer_offsets`,
   * `__transaction_state`) get their own settings, and other topics get the broker's defaults.
   * Concurrent calls for the same name create one topic.
   */
  ensureTopic(name: string): Promise<Outcome<TopicImage>>
}
