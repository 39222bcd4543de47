import { compress, decompress } from '../../../protocol/compression/index.ts'
import * as header from '../../../protocol/records/batch-header.ts'
import {
  readVarint,
  readVarlong,
  sizeOfVarint,
  sizeOfVarlong,
  writeVarint,
  writeVarlong,
} from '../../../protocol/records/varint.ts'
import { writeInt64 } from '../int64.ts'

/** A batch that grows beyond this when decompressed is not compacted: the cleaner's memory is bounded. */
const MAX_DECOMPRESSED = 256 << 20
const NO_TIMESTAMP = -1

export interface FilterOptions {
  /** Whether the latest record of a key, as far as it was looked for, is not this one but a later one. */
  isSuperseded(key: Buffer, offset: number): boolean
  /** Keys were not looked for from here on: what a tombstone deletes may still be there, so it all stays. */
  readonly cleanedTo: number
  readonly now: number
  /** `delete.retention.ms`: how long a tombstone stays after the first cleaning that saw it. */
  readonly deleteRetentionMs: number
  /** Keep the header of a batch without records: it tells its producer's last sequence. */
  readonly keepEmpty: boolean
}

/** One record of a batch, as a range of its record section. */
interface Kept {
  readonly start: number
  readonly end: number
  readonly timestampDelta: number
  /** Behind the timestamp delta. */
  readonly rest: number
}

/**
 * What compaction leaves of a batch: the same bytes when nothing changes, null when nothing is left, otherwise a batch with
 * the same offsets, producer and compression, and fewer records. A tombstone that is seen for the first time gives the batch a
 * delete horizon (KIP-534): from then on it goes.
 */
export function filterBatch(batch: Buffer, o: FilterOptions): Buffer | null {
  const attributes = header.attributes(batch, 0)
  const codec = header.compressionOf(batch, 0)
  const records = decompress(codec, batch.subarray(header.HEADER_SIZE), MAX_DECOMPRESSED)
  const hasHorizon = (attributes & header.DELETE_HORIZON_FLAG) !== 0
  const base = header.baseTimestamp(batch, 0)
  const dropsTombstones = hasHorizon && o.now >= base
  const kept: Kept[] = []
  let tombstones = 0
  const firstOffset = header.baseOffset(batch, 0)
  const count = header.recordCount(batch, 0)
  const cursor = { pos: 0 }
  for (let i = 0; i < count; i++) {
    const start = cursor.pos
    const length = readVarint(records, cursor, records.length)
    const end = cursor.pos + length
    cursor.pos++ // attributes
    const timestampDelta = readVarlong(records, cursor, end)
    const rest = cursor.pos
    const offset = firstOffset + readVarint(records, cursor, end)
    const keyLength = readVarint(records, cursor, end)
    const key = keyLength < 0 ? null : records.subarray(cursor.pos, cursor.pos + keyLength)
    cursor.pos += Math.max(0, keyLength)
    const isTombstone = readVarint(records, cursor, end) < 0
    cursor.pos = end
    const isKept = key !== null && !o.isSuperseded(key, offset) && !(isTombstone && dropsTombstones)
    if (!isKept && offset < o.cleanedTo) continue
    if (isTombstone) tombstones++
    kept.push({ start, end, timestampDelta, rest })
  }
  if (kept.length === 0) return o.keepEmpty ? emptied(batch, attributes) : null
  const setsHorizon = tombstones > 0 && !hasHorizon
  if (kept.length === count && !setsHorizon) return batch
  // the base is the horizon where there is one, otherwise the first record's time, as Kafka's builder has it
  const newBase = setsHorizon ? o.now + o.deleteRetentionMs : hasHorizon ? base : base + kept[0]!.timestampDelta
  return rebuilt(batch, {
    section: compress(codec, shifted(records, kept, base - newBase)),
    count: kept.length,
    attributes: setsHorizon ? attributes | header.DELETE_HORIZON_FLAG : attributes,
    baseTimestamp: newBase,
    maxTimestamp: header.timestampTypeOf(batch, 0) === 1 ? header.maxTimestamp(batch, 0) : latest(kept, base),
  })
}

/** The keys of a batch's records, each with its offset. */
export function* keysOf(batch: Buffer): Generator<{ key: Buffer; offset: number }> {
  const codec = header.compressionOf(batch, 0)
  const records = decompress(codec, batch.subarray(header.HEADER_SIZE), MAX_DECOMPRESSED)
  const firstOffset = header.baseOffset(batch, 0)
  const cursor = { pos: 0 }
  for (let i = header.recordCount(batch, 0); i > 0; i--) {
    const length = readVarint(records, cursor, records.length)
    const end = cursor.pos + length
    cursor.pos++
    readVarlong(records, cursor, end)
    const offset = firstOffset + readVarint(records, cursor, end)
    const keyLength = readVarint(records, cursor, end)
    if (keyLength >= 0) yield { key: records.subarray(cursor.pos, cursor.pos + keyLength), offset }
    cursor.pos = end
  }
}

function latest(kept: readonly Kept[], base: number): number {
  let max = Number.NEGATIVE_INFINITY
  for (const k of kept) max = Math.max(max, k.timestampDelta)
  return base + max
}

/** The records with all timestamp deltas changed by the same amount. */
function shifted(records: Buffer, kept: readonly Kept[], by: number): Buffer {
  if (by === 0) return Buffer.concat(kept.map(k => records.subarray(k.start, k.end)))
  const parts: Buffer[] = []
  for (const k of kept) {
    const delta = k.timestampDelta + by
    const length = 1 + sizeOfVarlong(delta) + (k.end - k.rest)
    const head = Buffer.alloc(sizeOfVarint(length) + 1 + sizeOfVarlong(delta))
    const attributesAt = writeVarint(head, 0, length)
    head[attributesAt] = 0
    writeVarlong(head, attributesAt + 1, delta)
    parts.push(head, records.subarray(k.rest, k.end))
  }
  return Buffer.concat(parts)
}

function emptied(batch: Buffer, attributes: number): Buffer {
  const plain = attributes & ~(header.COMPRESSION_MASK | header.DELETE_HORIZON_FLAG)
  const maxTimestamp = header.maxTimestamp(batch, 0)
  const section = Buffer.alloc(0)
  return rebuilt(batch, { section, count: 0, attributes: plain, baseTimestamp: NO_TIMESTAMP, maxTimestamp })
}

function rebuilt(
  batch: Buffer,
  o: { section: Buffer; count: number; attributes: number; baseTimestamp: number; maxTimestamp: number },
): Buffer {
  const bytes = Buffer.concat([batch.subarray(0, header.HEADER_SIZE), o.section])
  bytes.writeInt32BE(bytes.length - header.LOG_OVERHEAD, header.BATCH_LENGTH)
  bytes.writeInt16BE(o.attributes, header.ATTRIBUTES)
  writeInt64(bytes, o.baseTimestamp, header.BASE_TIMESTAMP)
  writeInt64(bytes, o.maxTimestamp, header.MAX_TIMESTAMP)
  bytes.writeInt32BE(o.count, header.RECORD_COUNT)
  header.updateCrc(bytes, 0)
  return bytes
}
