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
  type EventTime,
  envelope,
  newKeyHeader,
  type Operation,
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

/** Makes the records of events. */
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

  /** One event of a table; a delete is followed by its tombstone. */
  change(
    out: SourceRecord[],
    shape: TableShape,
    op: Operation,
    key: Struct | null,
    before: Struct | null,
    after: Struct | null,
    source: Struct,
    transaction: Struct | null,
    time: EventTime,
    offset: SourceOffset,
    previous: SourceOffset,
  ): void {
    const tombstone = op === 'd' && this.#tombstones
    const value = envelope(op, before, after, source, transaction, time)
    // the offset moves past an event with its last record, so that a restart never leaves half of one out
    out.push(this.#record(shape, key, value, this.#headers, tombstone ? previous : offset))
    if (tombstone) out.push(this.#record(shape, key, null, this.#headers, offset))
  }

  /** A row whose key changed: a delete of the old key (and its tombstone) and a create of the new one. */
  keyChange(
    out: SourceRecord[],
    shape: TableShape,
    oldKey: Struct,
    newKey: Struct,
    before: Struct | null,
    after: Struct,
    source: Struct,
    transactions: readonly [Struct | null, Struct | null],
    time: EventTime,
    offset: SourceOffset,
    previous: SourceOffset,
  ): void {
    const schema = shape.keySchema!
    const gone = [newKeyHeader(schema, newKey), ...this.#headers]
    const come = [oldKeyHeader(schema, oldKey), ...this.#headers]
    const deleted = envelope('d', before, null, source, transactions[0], time)
    out.push(this.#record(shape, oldKey, deleted, gone, previous))
    if (this.#tombstones) out.push(this.#record(shape, oldKey, null, gone, previous))
    out.push(this.#record(shape, newKey, envelope('c', null, after, source, transactions[1], time), come, offset))
  }

  /** A logical decoding message (`pg_logical_emit_message`). */
  message(
    topic: string,
    prefix: string,
    content: Buffer,
    source: Struct,
    transaction: Struct | null,
    ms: number,
    offset: SourceOffset,
  ): SourceRecord {
    const message = { prefix, content: this.#content(content) }
    const value = { op: 'm', ts_ms: ms, source, transaction, message }
    return this.#plain(topic, messageKey, { prefix }, this.#messageValue, value, offset)
  }

  /** The begin or the end of a transaction. */
  transaction(topic: string, id: string, value: Struct, offset: SourceOffset): SourceRecord {
    return this.#plain(topic, transactionKeySchema, { id }, transactionValueSchema, value, offset)
  }

  #plain(
    topic: string,
    keySchema: Schema,
    key: Struct,
    valueSchema: Schema,
    value: Struct,
    offset: SourceOffset,
  ): SourceRecord {
    return {
      topic,
      partition: null,
      keySchema,
      key,
      valueSchema,
      value,
      timestamp: null,
      headers: [],
      sourcePartition: this.#partition,
      sourceOffset: offset,
    }
  }
}
