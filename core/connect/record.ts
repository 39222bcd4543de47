import type { Schema } from './schema.ts'

/** A header of a record. A key may occur more than once. Headers keep their order. */
export interface Header {
  readonly key: string
  readonly schema: Schema | null
  readonly value: unknown
}

/**
 * The part of source and sink records that transformations use. Records are immutable: a
 * transformation returns a changed copy (`{ ...record, value }`), or the record itself if nothing
 * changes.
 */
export interface ConnectRecord {
  readonly topic: string
  /** The partition. If it is null, the producer's partitioner chooses the partition. */
  readonly partition: number | null
  /** The schema of the key, or null for data without a schema. */
  readonly keySchema: Schema | null
  readonly key: unknown
  readonly valueSchema: Schema | null
  /** A null value is a tombstone. */
  readonly value: unknown
  /** Milliseconds since 1970. Null means the current time. */
  readonly timestamp: number | null
  readonly headers: readonly Header[]
}

/**
 * Identifies a part of a source, such as `{ filename: 'a.txt' }`. The runtime stores offsets under
 * this key. It contains only JSON values.
 */
export type SourcePartition = Readonly<Record<string, unknown>>
/**
 * A position in a source partition, such as `{ position: 120 }`. A task resumes from the last
 * committed position. It contains only JSON values, and `bigint` for an int64 beyond 2^53.
 */
export type SourceOffset = Readonly<Record<string, unknown>>

/** A record that a source task returns. Fields that are null may be omitted. */
export interface SourceRecord {
  readonly topic: string
  /** A null value is a tombstone. */
  readonly value: unknown
  /** The schema of the value. Default: data without a schema. */
  readonly valueSchema?: Schema | null
  readonly key?: unknown
  readonly keySchema?: Schema | null
  /** The partition. By default, the producer's partitioner chooses the partition. */
  readonly partition?: number | null
  /** Milliseconds since 1970. Default: the time at which the record is sent. */
  readonly timestamp?: number | null
  readonly headers?: readonly Header[]
  /** The source partition of the record. Omit it if the source cannot resume from this record. */
  readonly sourcePartition?: SourcePartition | null
  /** The position from which the source resumes after this record. */
  readonly sourceOffset?: SourceOffset | null
  /**
   * If set, the offset advances, but no record is written. `'progress'`: the source read further
   * and found nothing to write. The offset is committed soon. An error: the source could not read
   * an item. `errors.tolerance` then decides whether the task fails or skips the item.
   */
  readonly unwritten?: 'progress' | Error
}

/**
 * A source record with all of its fields. The runtime completes each record before it processes it.
 */
export interface CompleteSourceRecord extends ConnectRecord {
  readonly sourcePartition: SourcePartition | null
  readonly sourceOffset: SourceOffset | null
  readonly unwritten?: 'progress' | Error
}

const NO_HEADERS: readonly Header[] = Object.freeze([])

/**
 * Returns the record itself if it has all fields, which is the fastest case. Otherwise returns a
 * copy in which the omitted fields are null. All copies have the same shape.
 */
export function completeRecord(record: SourceRecord): CompleteSourceRecord {
  return isComplete(record) ? record : withAllFields(record)
}

function isComplete(record: SourceRecord): record is CompleteSourceRecord {
  return (
    record.sourcePartition !== undefined &&
    record.sourceOffset !== undefined &&
    record.partition !== undefined &&
    record.keySchema !== undefined &&
    record.key !== undefined &&
    record.valueSchema !== undefined &&
    record.value !== undefined &&
    record.timestamp !== undefined &&
    // A source in JavaScript may also set the headers to null.
    record.headers !== undefined &&
    record.headers !== null
  )
}

function withAllFields(record: SourceRecord): CompleteSourceRecord {
  const complete = {
    sourcePartition: record.sourcePartition ?? null,
    sourceOffset: record.sourceOffset ?? null,
    topic: record.topic,
    partition: record.partition ?? null,
    keySchema: record.keySchema ?? null,
    key: record.key ?? null,
    valueSchema: record.valueSchema ?? null,
    value: record.value ?? null,
    timestamp: record.timestamp ?? null,
    headers: record.headers ?? NO_HEADERS,
  }
  return record.unwritten === undefined ? complete : { ...complete, unwritten: record.unwritten }
}

export type TimestampType = 'NoTimestampType' | 'CreateTime' | 'LogAppendTime'

/** A record that a sink task receives. */
export interface SinkRecord extends ConnectRecord {
  readonly partition: number
  readonly offset: number
  readonly timestampType: TimestampType
  /**
   * The topic, partition and offset from which the record was consumed, before any transformation.
   * Committed offsets and versions of documents are based on these values.
   */
  readonly originalTopic: string
  readonly originalPartition: number
  readonly originalOffset: number
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** The next offset to consume from a partition. */
export interface TopicPartitionOffset extends TopicPartition {
  readonly offset: number
}
