import type { CompleteSourceRecord, ConnectRecord, SinkRecord } from './record.ts'

type Mutable<R> = { -readonly [Field in keyof R]: R[Field] }

/**
 * Returns a copy of a record. A transformation may change the copy. The function creates the copy
 * with an object literal that names all fields, because V8 compiles such a literal to a plain
 * allocation. A spread would call a slow routine.
 */
export function copyRecord(record: ConnectRecord): Mutable<ConnectRecord> {
  if (isSource(record)) return copySource(record)
  if (isSink(record)) return copySink(record)
  return { ...record }
}

function isSource(record: ConnectRecord): record is CompleteSourceRecord {
  return 'sourceOffset' in record
}

function isSink(record: ConnectRecord): record is SinkRecord {
  return 'originalOffset' in record
}

/** Returns a copy without `unwritten`, because a record with `unwritten` is never transformed. */
function copySource(record: CompleteSourceRecord): CompleteSourceRecord {
  return {
    sourcePartition: record.sourcePartition,
    sourceOffset: record.sourceOffset,
    topic: record.topic,
    partition: record.partition,
    keySchema: record.keySchema,
    key: record.key,
    valueSchema: record.valueSchema,
    value: record.value,
    timestamp: record.timestamp,
    headers: record.headers,
  }
}

function copySink(record: SinkRecord): SinkRecord {
  return {
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
    keySchema: record.keySchema,
    key: record.key,
    valueSchema: record.valueSchema,
    value: record.value,
    timestamp: record.timestamp,
    timestampType: record.timestampType,
    headers: record.headers,
    originalTopic: record.originalTopic,
    originalPartition: record.originalPartition,
    originalOffset: record.originalOffset,
  }
}
