import { isProtocolError } from '../../../protocol/errors.ts'
import * as header from '../../../protocol/records/batch-header.ts'
import { readBatches } from '../../../protocol/records/batch-reader.ts'
import { readEndTransactionMarker } from '../../../protocol/records/control-records.ts'
import { type ProducerId, readProducerId } from '../io/int64.ts'

/** A commit or abort marker of a transaction. */
export interface TxnMarker {
  readonly commit: boolean
  readonly coordinatorEpoch: number
}

/**
 * The header fields of a batch that the log needs. The log assigns the offsets when it appends the
 * batch.
 */
export interface BatchMeta {
  /** The position of the batch in the buffer. */
  readonly at: number
  readonly size: number
  baseOffset: number
  lastOffset: number
  leaderEpoch: number
  maxTimestamp: number
  readonly producerId: ProducerId
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly marker: TxnMarker | null
}

/**
 * Returns what is wrong with the length, format or checksum of a batch in the log, or null. The
 * record count is not compared with the offsets, because compaction removes records but does not
 * change offsets.
 */
export function batchProblem(buf: Buffer, at: number, end: number): string | null {
  const left = end - at
  if (left < header.HEADER_SIZE) return `${left} bytes are less than a batch header`
  const size = header.batchSize(buf, at)
  const magic = header.magic(buf, at)
  if (magic !== header.MAGIC_V2) return `the batch has message format ${magic}`
  if (size < header.HEADER_SIZE) return `a batch of ${size} bytes is shorter than its header`
  if (size > left) return `a batch of ${size} bytes is truncated after ${left}`
  if (header.computeCrc(buf, at) !== header.crc(buf, at)) return 'the checksum does not match'
  if (header.recordCount(buf, at) < 0 || header.lastOffsetDelta(buf, at) < 0)
    return 'the record count or the last offset delta is negative'
  return null
}

/** Reads the metadata of a batch. The batch must be validated, or must come from the log. */
export function readBatchMeta(buf: Buffer, at: number): BatchMeta {
  const size = header.batchSize(buf, at)
  const baseOffset = header.baseOffset(buf, at)
  const isControl = header.isControl(buf, at)
  return {
    at,
    size,
    baseOffset,
    lastOffset: baseOffset + header.lastOffsetDelta(buf, at),
    leaderEpoch: header.leaderEpoch(buf, at),
    maxTimestamp: header.maxTimestamp(buf, at),
    producerId: readProducerId(buf, at + header.PRODUCER_ID),
    producerEpoch: header.producerEpoch(buf, at),
    baseSequence: header.baseSequence(buf, at),
    isTransactional: header.isTransactional(buf, at),
    isControl,
    marker: isControl ? readMarker(buf.subarray(at, at + size)) : null,
  }
}

/**
 * Returns the transaction marker in a control batch. Returns null if the batch contains another
 * control record, or if it is unreadable.
 */
function readMarker(batch: Buffer): TxnMarker | null {
  try {
    for (const decoded of readBatches(batch)) {
      const record = decoded.records()[0]
      const marker = record === undefined ? null : readEndTransactionMarker(record)
      return marker === null ? null : { commit: marker.committed, coordinatorEpoch: marker.coordinatorEpoch }
    }
  } catch (error) {
    // Ignore an invalid control record, which a log from another broker may contain. It must not
    // prevent the log from opening.
    if (!isProtocolError(error)) throw error
  }
  return null
}
