import {
  type Header,
  primitive,
  type Schema,
  type SourceOffset,
  type SourcePartition,
  type SourceRecord,
  type Struct,
  struct,
} from 'millrace/connect'
import {
  type BinaryMode,
  type ChangeEvent,
  type EventTime,
  envelope,
  newKeyHeader,
  oldKeyHeader,
  transactionBlock,
  transactionKeySchema,
  transactionValueSchema,
} from '../../cdc/index.ts'
import { postgresSource } from '../source-block.ts'
import type { TableShape } from '../table-shape.ts'
import { shownBytes } from '../types/codec-for.ts'

const messageKey: Schema = struct(
  { prefix: primitive('string', { optional: true }) },
  { name: 'io.debezium.connector.postgresql.MessageKey', version: 1 },
)
const messageValue = (binary: BinaryMode): Schema => {
  const content = primitive(binary === 'bytes' ? 'bytes' : 'string', { optional: true })
  return struct(
    {
      op: primitive('string'),
      ts_ms: primitive('int64', { optional: true }),
      source: postgresSource,
      transaction: transactionBlock,
      message: struct(
        { prefix: primitive('string', { optional: true }), content },
        { name: 'io.debezium.connector.postgresql.Message', version: 1 },
      ),
    },
    { name: 'io.debezium.connector.postgresql.MessageValue', version: 1 },
  )
}

/** The table's shape and the offsets for the records of one event. */
interface Emission {
  readonly shape: TableShape
  /** The offset after the event. */
  readonly offset: SourceOffset
  /** The offset before the event. */
  readonly previous: SourceOffset
}

export interface RowEvent extends Emission, ChangeEvent {
  readonly key: Struct | null
}

export interface KeyChange extends Emission, Omit<ChangeEvent, 'op' | 'transaction'> {
  readonly oldKey: Struct
  readonly key: Struct
  /** The transaction blocks of the delete and of the create. */
  readonly transactions: readonly [Struct | null, Struct | null]
}

export interface MessageEvent {
  readonly topic: string
  readonly prefix: string
  readonly content: Buffer
  readonly source: Struct
  readonly transaction: Struct | null
  readonly time: EventTime
  readonly offset: SourceOffset
}

/** Creates the records of events. */
export class Emitter {
  readonly #partition: SourcePartition
  readonly #headers: readonly Header[]
  readonly #tombstones: boolean
  readonly #messageValue: Schema
  readonly #content: (bytes: Buffer) => Buffer | string

  constructor(partition: SourcePartition, headers: readonly Header[], tombstones: boolean, binary: BinaryMode) {
    this.#partition = partition
    this.#headers = headers
    this.#tombstones = tombstones
    this.#messageValue = messageValue(binary)
    this.#content = shownBytes[binary]
  }

  #record(
    shape: TableShape,
    key: Struct | null,
    value: Struct | null,
    headers: readonly Header[],
    offset: SourceOffset,
  ): SourceRecord {
    return {
      topic: shape.topic,
      partition: null,
      keySchema: key === null ? null : shape.keySchema,
      key,
      valueSchema: value === null ? null : shape.envelope,
      value,
      timestamp: null,
      headers,
      sourcePartition: this.#partition,
      sourceOffset: offset,
    }
  }

  /** Emits one event of a table. After a delete, also emits the tombstone. */
  change(out: SourceRecord[], event: RowEvent): void {
    const { shape, key, offset } = event
    const hasTombstone = event.op === 'd' && this.#tombstones
    // only the last record of an event has the new offset, so that a restart never skips a part of
    // the event
    const first = hasTombstone ? event.previous : offset
    out.push(this.#record(shape, key, envelope(event), this.#headers, first))
    if (hasTombstone) out.push(this.#record(shape, key, null, this.#headers, offset))
  }

  /**
   * Emits the records of a row whose key changed: a delete of the old key, its tombstone, and a
   * create of the new key.
   */
  keyChange(out: SourceRecord[], event: KeyChange): void {
    const { shape, oldKey, key, before, after, source, transactions, time, offset, previous } = event
    const schema = shape.keySchema!
    const deleteHeaders = [newKeyHeader(schema, key), ...this.#headers]
    const createHeaders = [oldKeyHeader(schema, oldKey), ...this.#headers]
    const deleted = envelope({ op: 'd', before, after: null, source, transaction: transactions[0], time })
    const created = envelope({ op: 'c', before: null, after, source, transaction: transactions[1], time })
    out.push(this.#record(shape, oldKey, deleted, deleteHeaders, previous))
    if (this.#tombstones) out.push(this.#record(shape, oldKey, null, deleteHeaders, previous))
    out.push(this.#record(shape, key, created, createHeaders, offset))
  }

  /** Returns the record of a logical decoding message (`pg_logical_emit_message`). */
  message({ topic, prefix, content, source, transaction, time, offset }: MessageEvent): SourceRecord {
    const message = { prefix, content: this.#content(content) }
    return {
      ...this.#plain(topic, offset),
      keySchema: messageKey,
      key: { prefix },
      valueSchema: this.#messageValue,
      value: { op: 'm', ts_ms: time.ms, source, transaction, message },
    }
  }

  /** Returns the record of the start or the end of a transaction. */
  transaction(topic: string, id: string, value: Struct, offset: SourceOffset): SourceRecord {
    return {
      ...this.#plain(topic, offset),
      keySchema: transactionKeySchema,
      key: { id },
      valueSchema: transactionValueSchema,
      value,
    }
  }

  #plain(topic: string, sourceOffset: SourceOffset) {
    return { topic, partition: null, timestamp: null, headers: [], sourcePartition: this.#partition, sourceOffset }
  }
}
