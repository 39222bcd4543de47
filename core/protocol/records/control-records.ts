import { malformed } from '../errors.ts'
import { EndTxnMarker } from '../messages/raft/transaction-markers.ts'
import { decodeVersioned, encodeVersioned } from '../schema/codec.ts'
import { RecordBatchBuilder } from './batch-builder.ts'
import type { DecodedRecord } from './batch-reader.ts'

/** The types of control records, in the order of their numbers (Kafka's `ControlRecordType`). */
const TYPES = [
  'abort',
  'commit',
  'leader-change',
  'snapshot-header',
  'snapshot-footer',
  'kraft-version',
  'kraft-voters',
] as const

export type ControlRecordType = (typeof TYPES)[number]

/**
 * Returns the type of a control record. Readers must skip records of unknown types. Throws
 * MR_PROTOCOL_MALFORMED if the key is too short.
 */
export function controlRecordType(record: Pick<DecodedRecord, 'key'>): ControlRecordType | 'unknown' {
  const { key } = record
  // The key contains an int16 version and an int16 type.
  if (key === null || key.length < 4) throw malformed('control record', 'its key is too short')
  return TYPES[key.readInt16BE(2)] ?? 'unknown'
}

/** Returns the key of a control record: an int16 version 0 and the int16 type. */
export function controlRecordKey(type: ControlRecordType): Buffer {
  const key = Buffer.alloc(4)
  key.writeInt16BE(TYPES.indexOf(type), 2)
  return key
}

export interface EndTransactionMarker {
  readonly committed: boolean
  readonly coordinatorEpoch: number
}

/**
 * Returns the marker that a control record contains, or null if the control record does not end a
 * transaction.
 */
export function readEndTransactionMarker(record: Pick<DecodedRecord, 'key' | 'value'>): EndTransactionMarker | null {
  const type = controlRecordType(record)
  if (type !== 'commit' && type !== 'abort') return null
  if (record.value === null) throw malformed('control record', 'a transaction marker has no value')
  const { value } = decodeVersioned(EndTxnMarker, record.value, { lenient: true })
  return { committed: type === 'commit', coordinatorEpoch: value.coordinatorEpoch }
}

/** Returns the control batch that ends a producer's transaction in a partition. */
export function buildEndTransactionMarker(
  marker: EndTransactionMarker,
  producer: { readonly id: number; readonly epoch: number },
  timestamp: number,
): Buffer {
  const builder = new RecordBatchBuilder({
    producerId: producer.id,
    epoch: producer.epoch,
    transactional: true,
    control: true,
    initialSize: 128,
  })
  const value = encodeVersioned(EndTxnMarker, 0, { coordinatorEpoch: marker.coordinatorEpoch })
  builder.append(controlRecordKey(marker.committed ? 'commit' : 'abort'), value, timestamp)
  return builder.build()
}
