import { CompressionType, decompress, toCompressionType } from '../compression/index.ts'
import { malformed } from '../errors.ts'
import {
  BASE_TIMESTAMP,
  type BatchHeader,
  batchSize,
  COMPRESSION_MASK,
  computeCrc,
  crc,
  HEADER_SIZE,
  MAGIC,
  MAGIC_V2,
  magic,
  readHeader,
  type TimestampType,
} from './batch-header.ts'
import { type Cursor, readVarint, readVarlong, readVarlongExactly } from './varint.ts'

export interface DecodedHeader {
  readonly key: string
  readonly value: Buffer | null
}

/**
 * A decoded record. The key and the value are slices of the batch, or of its decompressed records.
 */
export interface DecodedRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly DecodedHeader[]
}

export interface ReadOptions {
  /**
   * Whether to compare the checksum of each batch. Default: false, which is safe for a fetch over
   * TCP from a broker that has checked the batch.
   */
  readonly checkCrc?: boolean
  /** The maximum decompressed size of a batch, in bytes. Default: 128 MiB. */
  readonly maxDecompressedBytes?: number
}

const MAX_DECOMPRESSED = 128 << 20
/**
 * The minimum size of a record. The length, attributes, timestamp, offset, key, value and header
 * count have at least one byte each.
 */
const MIN_RECORD_SIZE = 7
/** Timestamps up to this value can be added without rounding. */
const MAX_EXACT = 2 ** 51
const NO_HEADERS: readonly DecodedHeader[] = []

/**
 * Yields the batches in a fetched range. Skips an incomplete last batch, because a broker can end a
 * range anywhere. Throws MR_PROTOCOL_MALFORMED for other bytes that are not a batch of format 2.
 */
export function* readBatches(buf: Buffer, options: ReadOptions = {}): Generator<DecodedBatch, void> {
  let pos = 0
  while (buf.length - pos > MAGIC) {
    const size = batchSize(buf, pos)
    if (magic(buf, pos) !== MAGIC_V2)
      throw malformed('record batch', `message format ${magic(buf, pos)} is not supported`)
    if (size < HEADER_SIZE) throw malformed('record batch', `its size is ${size} bytes`)
    if (size > buf.length - pos) return
    if (options.checkCrc && computeCrc(buf, pos) !== crc(buf, pos))
      throw malformed('record batch', 'its checksum is wrong')
    yield new DecodedBatch(buf, pos, options.maxDecompressedBytes ?? MAX_DECOMPRESSED)
    pos += size
  }
}

/** A batch whose header is decoded. `records()` decodes the records. */
export class DecodedBatch implements BatchHeader {
  readonly baseOffset: number
  readonly lastOffsetDelta: number
  readonly size: number
  readonly leaderEpoch: number
  readonly attributes: number
  readonly timestampType: TimestampType
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
  readonly compression: CompressionType
  private readonly buf: Buffer
  private readonly pos: number
  private readonly maxBytes: number

  constructor(buf: Buffer, pos: number, maxBytes = MAX_DECOMPRESSED) {
    const header = readHeader(buf, pos)
    this.baseOffset = header.baseOffset
    this.lastOffsetDelta = header.lastOffsetDelta
    this.size = header.size
    this.leaderEpoch = header.leaderEpoch
    this.attributes = header.attributes
    this.timestampType = header.timestampType
    this.isTransactional = header.isTransactional
    this.isControl = header.isControl
    this.baseTimestamp = header.baseTimestamp
    this.maxTimestamp = header.maxTimestamp
    this.producerId = header.producerId
    this.producerEpoch = header.producerEpoch
    this.baseSequence = header.baseSequence
    this.recordCount = header.recordCount
    this.compression = toCompressionType(header.attributes & COMPRESSION_MASK)
    this.buf = buf
    this.pos = pos
    this.maxBytes = maxBytes
  }

  /** The offset of the last record, even if compaction has removed it. */
  get lastOffset(): number {
    return this.baseOffset + this.lastOffsetDelta
  }

  /** Decodes the records that the batch contains. Compaction may have removed some records. */
  records(): DecodedRecord[] {
    const start = this.pos + HEADER_SIZE
    const end = this.pos + this.size
    const { buf } = this
    if (this.compression === CompressionType.NONE) return this.decode(buf, start, end)
    const plain = decompress(this.compression, buf.subarray(start, end), this.maxBytes)
    return this.decode(plain, 0, plain.length)
  }

  /**
   * Computes a timestamp that exceeds the exact range of numbers. As in Java, the sum wraps at 64
   * bits.
   */
  private wrappedTime(buf: Buffer, deltaAt: number, end: number): number {
    const base = this.buf.readBigInt64BE(this.pos + BASE_TIMESTAMP)
    return Number(BigInt.asIntN(64, base + readVarlongExactly(buf, { pos: deltaAt }, end)))
  }

  private decode(buf: Buffer, start: number, end: number): DecodedRecord[] {
    const count = this.recordCount
    if (count < 0 || count * MIN_RECORD_SIZE > end - start)
      throw malformed('record batch', `it announces ${count} records in ${end - start} bytes`)
    const records: DecodedRecord[] = []
    const cursor: Cursor = { pos: start }
    const { baseOffset, baseTimestamp } = this
    const isSmall = baseTimestamp <= MAX_EXACT && baseTimestamp >= -MAX_EXACT
    const appendTime = this.timestampType === 1 ? this.maxTimestamp : undefined
    for (let i = 0; i < count; i++) {
      const length = readVarint(buf, cursor, end)
      const recordEnd = cursor.pos + length
      if (length < 0 || recordEnd > end)
        throw malformed('record', `its length is ${length} bytes, but ${end - cursor.pos} remain`)
      // Format 2 does not use the attributes of a record.
      cursor.pos++
      const deltaAt = cursor.pos
      const timestampDelta = readVarlong(buf, cursor, recordEnd)
      const offsetDelta = readVarint(buf, cursor, recordEnd)
      const key = readBytes(buf, cursor, recordEnd)
      const value = readBytes(buf, cursor, recordEnd)
      const headerCount = readVarint(buf, cursor, recordEnd)
      const headers = headerCount === 0 ? NO_HEADERS : readHeaders(buf, cursor, recordEnd, headerCount)
      if (cursor.pos !== recordEnd) throw malformed('record', `${recordEnd - cursor.pos} bytes are left over`)
      records.push({
        offset: baseOffset + offsetDelta,
        timestamp:
          appendTime ??
          (isSmall && timestampDelta <= MAX_EXACT && timestampDelta >= -MAX_EXACT
            ? baseTimestamp + timestampDelta
            : this.wrappedTime(buf, deltaAt, recordEnd)),
        key,
        value,
        headers,
      })
    }
    if (cursor.pos !== end)
      throw malformed('record batch', `${end - cursor.pos} bytes are left over after its last record`)
    return records
  }
}

/** Reads a varint length, then that number of bytes. Returns null for a negative length. */
function readBytes(buf: Buffer, cursor: Cursor, end: number): Buffer | null {
  const length = readVarint(buf, cursor, end)
  if (length < 0) return null
  const at = cursor.pos
  if (length > end - at) throw malformed('record', `a field has ${length} bytes, but only ${end - at} remain`)
  cursor.pos = at + length
  return buf.subarray(at, at + length)
}

function readHeaders(buf: Buffer, cursor: Cursor, end: number, count: number): DecodedHeader[] {
  // A header has at least two bytes.
  if (count < 0 || count * 2 > end - cursor.pos)
    throw malformed('record', `it announces ${count} headers in ${end - cursor.pos} bytes`)
  const headers: DecodedHeader[] = []
  for (let i = 0; i < count; i++) {
    const key = readBytes(buf, cursor, end)
    if (key === null) throw malformed('record', 'a header has no key')
    headers.push({ key: key.toString('utf8'), value: readBytes(buf, cursor, end) })
  }
  return headers
}
