import type { TopicImage } from './image.ts'

/** A rejection: one of Kafka's error codes and its message. */
export interface Refusal {
  readonly code: number
  readonly message: string | null
}

export interface NewTopic {
  readonly name: string
  /** -1 means the broker's `num.partitions`. Must be -1 with `assignments`. */
  readonly numPartitions: number
  /** -1 means the broker's `default.replication.factor`. Must be -1 with `assignments`. */
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
  /** The new total. */
  readonly count: number
  /** The replicas of each added partition. With null the broker chooses them. */
  readonly assignments: ReadonlyArray<readonly number[]> | null
}

/** The operation, as in AlterConfigOp.OpType: 0 set, 1 delete, 2 append, 3 subtract. */
export interface ConfigOp {
  readonly name: string
  readonly op: 0 | 1 | 2 | 3
  readonly value: string | null
}

export interface ConfigChange {
  readonly resourceType: number
  readonly resourceName: string
  readonly ops: readonly ConfigOp[]
  /** For the older AlterConfigs: keys that are not named revert to their defaults. */
  readonly replaceAll?: boolean
}

/** A block of unique producer ids: `first` to `first + count - 1`. */
export interface ProducerIdBlock {
  readonly first: number
  readonly count: number
}

/**
 * Changes the cluster's metadata. A promise resolves once the records are in the metadata log, the
 * image contains them, and the partitions' logs have been created or removed. Outcomes are in the
 * order of the request. A promise rejects if the metadata log could not be written.
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
   * Returns the topic with a name, and creates it if it does not exist. Internal topics
   * (`__consumer_offsets`, `__transaction_state`) get their own settings, other topics the broker's
   * defaults. Concurrent calls for one name create one topic. Ignores `auto.create.topics.enable`.
   */
  ensureTopic(name: string): Promise<Outcome<TopicImage>>
}
