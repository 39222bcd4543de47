import type { Schema } from './schema.ts'

/** A record's header. Duplicates of a key are allowed and keep their order. */
export interface Header {
  readonly key: string
  readonly schema: Schema | null
  readonly value: unknown
}

/**
 * What source and sink records share. Treat records as immutable: a transformation returns a changed copy
 * (`{ ...record, value }`), or the record itself where nothing changes.
 */
export interface ConnectRecord {
  readonly topic: string
  /** Null: the producer's partitioner decides. */
  readonly partition: number | null
  /** Null for data without a schema. */
  readonly keySchema: Schema | null
  readonly key: unknown
  readonly valueSchema: Schema | null
  /** Null is a tombstone. */
  readonly value: unknown
  /** Milliseconds since 1970, or null for "now". */
  readonly timestamp: number | null
  readonly headers: readonly Header[]
}

/** Where a source's data comes from, such as `{ filename: 'a.txt' }`: JSON values only. The key of a source offset. */
export type SourcePartition = Readonly<Record<string, unknown>>
/** How far a source partition was read, such as `{ position: 120 }`: JSON values only; int64 beyond 2^53 as `bigint`. */
export type SourceOffset = Readonly<Record<string, unknown>>

export interface SourceRecord extends ConnectRecord {
  /** Null for a record that has no position to resume from. */
  readonly sourcePartition: SourcePartition | null
  /** The position from which the source goes on *after* this record. */
  readonly sourceOffset: SourceOffset | null
  /**
   * Set if there is nothing to write and only the offset advances. `progress`: the source read on
   * and found nothing; the offset is committed soon. An error: the source could not read an item;
   * `errors.tolerance` decides whether the task fails or continues.
   */
  readonly unwritten?: 'progress' | Error
}

export type TimestampType = 'NoTimestampType' | 'CreateTime' | 'LogAppendTime'

export interface SinkRecord extends ConnectRecord {
  readonly partition: number
  readonly offset: number
  readonly timestampType: TimestampType
  /** Topic, partition and offset as consumed, before any transformation: what offsets and versions are made from. */
  readonly originalTopic: string
  readonly originalPartition: number
  readonly originalOffset: number
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** Next offset to consume for a partition. */
export interface TopicPartitionOffset extends TopicPartition {
  readonly offset: number
}
