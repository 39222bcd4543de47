import { compress, decompress } from '../../../protocol/compression/index.ts'
import { isProtocolError, malformed } from '../../../protocol/errors.ts'
import * as header from '../../../protocol/records/batch-header.ts'
import {
  readVarint,
  readVarlong,
  readVarlongExactly,
  sizeOfVarint,
  sizeOfVarlong,
  varlongBytes,
  writeVarint,
  writeVarlong,
} from '../../../protocol/records/varint.ts'
import { writeInt64 } from '../io/int64.ts'

/**
 * The maximum decompressed size of a batch that is compacted. Larger batches are not compacted,
 * which limits the memory that compaction uses.
 */
const MAX_DECOMPRESSED = 256 << 20
const NO_TIMESTAMP = -1

export interface FilterOptions {
  /** Returns whether compaction has found a record with this key and a higher offset. */
  isSuperseded(key: Buffer, offset: number): boolean
  /**
   * Compaction has not read the keys at or after this offset. All records from this offset on are
   * kept, because it is not known whether they are superseded.
   */
  readonly cleanedTo: number
  readonly now: number
  /**
   * `delete.retention.ms`: how long a tombstone is kept after the first compaction that reads it.
   */
  readonly deleteRetentionMs: number
  /**
   * Whether to keep the header of a batch in which no record remains. The header contains the last
   * sequence number of the producer.
   */
  readonly keepEmpty: boolean
  /** Called for a batch that cannot be read. The batch is then kept unchanged. */
  onUnreadable?(error: Error): void
}

/** The position of a record within the decompressed records of a batch. */
interface Kept {
  readonly start: number
  readonly end: number
  /** The timestamp delta. It is not exact beyond 2^53. */
  readonly timestampDelta: number
  readonly deltaAt: number
  /** The position of the byte after the timestamp delta. */
  readonly rest: number
}

/**
 * Timestamps and deltas up to this value can be added and subtracted as numbers without rounding.
 */
const SMALL = 2 ** 51

/**
 * Compacts a batch. If nothing changes, returns the same batch. If no record remains, returns null,
 * or only the header if `keepEmpty` is true. Otherwise returns a new batch that contains the
 * remaining records. The offsets, the producer and the compression do not change. The first
 * compaction of a batch that contains a tombstone sets the delete horizon of the batch (KIP-534).
 * The first compaction after the delete horizon removes the tombstone.
 */
export function filterBatch(batch: Buffer, o: FilterOptions): Buffer | null {
  try {
    return filterRecords(batch, o)
  } catch (error) {
    // An invalid batch can come from Apache Kafka or from an older version of Millrace. Consumers
    // cannot read this batch, but the other batches are compacted.
    if (!(error instanceof Error) || !isProtocolError(error)) throw error
    o.onUnreadable?.(error)
    return batch
  }
}

function filterRecords(batch: Buffer, o: FilterOptions): Buffer | null {
  const attributes = header.attributes(batch, 0)
  const codec = header.compressionOf(batch, 0)
  const records = decompress(codec, batch.subarray(header.HEADER_SIZE), MAX_DECOMPRESSED)
  const hasHorizon = (attributes & header.DELETE_HORIZON_FLAG) !== 0
  const base = header.baseTimestamp(batch, 0)
  const dropsTombstones = hasHorizon && o.now >= base
  const kept: Kept[] = []
  let tombstones = 0
  let isExact = Math.abs(base) <= SMALL
  const firstOffset = header.baseOffset(batch, 0)
  const count = header.recordCount(batch, 0)
  const cursor = { pos: 0 }
  for (let i = 0; i < count; i++) {
    const start = cursor.pos
    const end = endOfRecord(records, cursor)
    const deltaAt = cursor.pos
    const timestampDelta = readVarlong(records, cursor, end)
    if (Math.abs(timestampDelta) > SMALL) isExact = false
    const rest = cursor.pos
    const offset = firstOffset + readVarint(records, cursor, end)
    const key = readKey(records, cursor, end)
    const isTombstone = readVarint(records, cursor, end) < 0
    cursor.pos = end
    const isKept = key !== null && !o.isSuperseded(key, offset) && !(isTombstone && dropsTombstones)
    if (!isKept && offset < o.cleanedTo) continue
    if (isTombstone) tombstones++
    kept.push({ start, end, timestampDelta, deltaAt, rest })
  }
  if (kept.length === 0) return o.keepEmpty ? emptied(batch, attributes) : null
  const setsHorizon = tombstones > 0 && !hasHorizon
  if (kept.length === count && !setsHorizon) return batch
  const horizon = setsHorizon ? o.now + o.deleteRetentionMs : null
  const times = isExact
    ? rebased(records, kept, base, horizon, hasHorizon)
    : rebasedExactly(batch, records, kept, horizon)
  return rebuilt(batch, {
    section: compress(codec, times.records),
    count: kept.length,
    attributes: setsHorizon ? attributes | header.DELETE_HORIZON_FLAG : attributes,
    baseTimestamp: times.base,
    maxTimestamp: header.timestampTypeOf(batch, 0) === 1 ? batch.readBigInt64BE(header.MAX_TIMESTAMP) : times.latest,
  })
}

/**
 * Returns the key and the offset of each record in a batch. Skips records without a key. Returns an
 * empty list if the batch cannot be read.
 */
export function keysOf(batch: Buffer): { key: Buffer; offset: number }[] {
  const keys: { key: Buffer; offset: number }[] = []
  try {
    const codec = header.compressionOf(batch, 0)
    const records = decompress(codec, batch.subarray(header.HEADER_SIZE), MAX_DECOMPRESSED)
    const firstOffset = header.baseOffset(batch, 0)
    const cursor = { pos: 0 }
    for (let i = header.recordCount(batch, 0); i > 0; i--) {
      const end = endOfRecord(records, cursor)
      readVarlong(records, cursor, end)
      const offset = firstOffset + readVarint(records, cursor, end)
      const key = readKey(records, cursor, end)
      if (key !== null) keys.push({ key, offset })
      cursor.pos = end
    }
    return keys
  } catch (error) {
    // filterBatch keeps an unreadable batch. The keys in the batch do not supersede older records.
    if (!isProtocolError(error)) throw error
    return []
  }
}

/** Moves the cursor to a record's timestamp delta. Returns the position where the record ends. */
function endOfRecord(records: Buffer, cursor: { pos: number }): number {
  const length = readVarint(records, cursor, records.length)
  const end = cursor.pos + length
  if (length < 1 || end > records.length) throw malformed('record', `its length is ${length} at byte ${cursor.pos}`)
  cursor.pos++ // attributes
  return end
}

function readKey(records: Buffer, cursor: { pos: number }, end: number): Buffer | null {
  const length = readVarint(records, cursor, end)
  if (length < 0) return null
  const at = cursor.pos
  if (length > end - at) throw malformed('record', `the length of its key is ${length} at byte ${at}`)
  cursor.pos = at + length
  return records.subarray(at, at + length)
}

/** The records of a batch, rewritten for a new base timestamp. */
interface Rebased {
  readonly records: Buffer
  readonly base: number | bigint
  readonly latest: number | bigint
}

/**
 * Chooses a new base timestamp and rewrites the records for it. As in Kafka, the base timestamp is
 * the delete horizon if the batch has one, and otherwise the first record's timestamp.
 */
function rebased(
  records: Buffer,
  kept: readonly Kept[],
  base: number,
  horizon: number | null,
  hasHorizon: boolean,
): Rebased {
  let latest = NO_TIMESTAMP
  for (const k of kept) latest = Math.max(latest, base + k.timestampDelta)
  const newBase = horizon ?? (hasHorizon ? base : base + kept[0]!.timestampDelta)
  return { records: shifted(records, kept, base - newBase), base: newBase, latest }
}

/**
 * Like `rebased`, for timestamps that a number cannot represent exactly. Uses int64 arithmetic that
 * wraps around. Keeps the old base timestamp if no delete horizon is being set.
 */
function rebasedExactly(batch: Buffer, records: Buffer, kept: readonly Kept[], horizon: number | null): Rebased {
  const base = batch.readBigInt64BE(header.BASE_TIMESTAMP)
  const newBase = horizon === null ? base : BigInt(horizon)
  let latest = BigInt(NO_TIMESTAMP)
  const parts: Buffer[] = []
  for (const k of kept) {
    const time = BigInt.asIntN(64, base + readVarlongExactly(records, { pos: k.deltaAt }, k.end))
    if (time > latest) latest = time
    const delta = varlongBytes(BigInt.asIntN(64, time - newBase))
    const length = Buffer.alloc(5)
    const size = writeVarint(length, 0, 1 + delta.length + (k.end - k.rest))
    parts.push(length.subarray(0, size), Buffer.of(0), delta, records.subarray(k.rest, k.end))
  }
  return { records: Buffer.concat(parts), base: newBase, latest }
}

/** Returns the records after adding `by` to each timestamp delta. */
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
  const maxTimestamp = batch.readBigInt64BE(header.MAX_TIMESTAMP)
  const section = Buffer.alloc(0)
  return rebuilt(batch, { section, count: 0, attributes: plain, baseTimestamp: NO_TIMESTAMP, maxTimestamp })
}

function rebuilt(
  batch: Buffer,
  o: {
    section: Buffer
    count: number
    attributes: number
    baseTimestamp: number | bigint
    maxTimestamp: number | bigint
  },
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
