import type { TopicImage } from './image.ts'

/** A refusal: one of Kafka's error codes and the message that goes with it. */
export interface Refusal {
  readonly code: number
  readonly message: string | null
}

export interface NewTopic {
  readonly name: string
  /** -1: the broker's `num.partitions`. Must be -1 with `assignments`. */
  readonly numPartitions: number
  /** -1: the broker's `default.replication.factor`. Must be -1 with `assignments`. */
  readonly replicationFactor: number
  readonly assignments: ReadonlyArray<{ readonly partition: number; readonly brokerIds: readonly number[] }>
  readonly configs: ReadonlyArray<{ readonly name: string; readonly value: string | null }>
}

/** What became of one item of a request: an error, or the value. */
export type Outcome<T> =
  | { readonly error: Refusal; readonly value?: undefined }
  | { readonly error: null; readonly value: T }

export interface NewPartitions {
  readonly name: string
  /** The new total. */
  readonly count: number
  /** The replicas of each added partition; null: the broker decides. */
  readonly assignments: ReadonlyArray<readonly number[]> | null
}

/** 0 set, 1 delete, 2 append, 3 subtract: AlterConfigOp.OpType. */
export interface ConfigOp {
  readonly name: string
  readonly op: 0 | 1 | 2 | 3
  readonly value: string | null
}

export interface ConfigChange {
  readonly resourceType: number
  readonly resourceName: string
  readonly ops: readonly ConfigOp[]
  /** The old AlterConfigs: what is not named goes back to its default. */
  readonly replaceAll?: boolean
}

/** A block of producer ids that nobody else gets: `first` .. `first + count - 1`. */
export interface ProducerIdBlock {
  readonly first: number
  readonly count: number
}

/**
 * Changes the cluster's metadata. Every promise resolves once the records are in the metadata log, the image has them and the partitions'
 * logs exist (or are gone); outcomes stand in the order of the request. A rejected promise means that the metadata log could not be written.
 */
export interface Controller {
  createTopics(topics: readonly NewTopic[], options?: { validateOnly?: boolean }): Promise<Outcome<TopicImage>[]>
  deleteTopics(ids: readonly string[]): Promise<Outcome<TopicImage>[]>
  createPartitions(
    topics: readonly NewPartitions[],
    options?: { validateOnly?: boolean },
  ): Promise<Outcome<TopicImage>[]>
  alterConfigs(changes: readonly ConfigChange[], options?: { validateOnly?: boolean }): Promise<Outcome<null>[]>
  /** The block of the next 1000 producer ids; it survives a restart. */
  allocateProducerIds(): Promise<ProducerIdBlock>
  /**
   * The topic of a name, made when absent: an internal one (`__consumer_offsets`, `__transaction_state`) with its own settings, any other
   * with the broker's defaults. Concurrent calls for one name make one topic. Does not look at `auto.create.topics.enable`.
   */
  ensureTopic(name: string): Promise<Outcome<TopicImage>>
}
