import { type CompressionName, CompressionType, compress, compressionId } from '../compression/index.ts'
import { unrepresentable } from '../errors.ts'
import {
  ATTRIBUTES,
  BATCH_LENGTH,
  CONTROL_FLAG,
  HEADER_SIZE,
  LAST_OFFSET_DELTA,
  LOG_APPEND_TIME_FLAG,
  LOG_OVERHEAD,
  MAGIC,
  MAGIC_V2,
  RECORD_COUNT,
  setBaseOffset,
  setLeaderEpoch,
  setProducerState,
  TRANSACTIONAL_FLAG,
  writeTimestamps,
} from './batch-header.ts'
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from './varint.ts'

/** A header to write: the key as text, or as the bytes of its UTF-8. */
export interface HeaderInput {
  readonly key: string | Buffer
  readonly value: Buffer | null
}

/** Memory that builders share: one builder reuses what another has given back. */
export interface BatchMemory {
  /** A buffer of that many bytes. Its content is arbitrary. */
  take(bytes: number): Buffer
  give(buffer: Buffer): void
}

export interface BatchOptions {
  /** Default none. */
  readonly compression?: CompressionName | CompressionType
  /** What the records' timestamps count from, in milliseconds. Default: the first record's. */
  readonly baseTimestamp?: number
  /** Default -1: no idempotence. */
  readonly producerId?: number
  readonly epoch?: number
  /** The sequence number of the first record. */
  readonly sequence?: number
  readonly transactional?: boolean
  readonly control?: boolean
  /** The records' timestamps are the time of appending to the log (`max timestamp` of the batch). */
  readonly logAppendTime?: boolean
  /** Default 0: the broker sets it. */
  readonly baseOffset?: number
  /** Default -1: the broker sets it. */
  readonly leaderEpoch?: number
  /** Bytes to allocate at first. Default 1024; the buffer doubles. */
  readonly initialSize?: number
  /** Default: memory that the garbage collector frees. */
  readonly memory?: BatchMemory
}

const UNSHARED: BatchMemory = { take: bytes => Buffer.allocUnsafeSlow(bytes), give: () => undefined }

const NO_HEADERS: readonly HeaderInput[] = []
const NOTHING = Buffer.alloc(0)
const MAX_SIZE = 0x7fffffff
/** Up to this length a loop copies faster than a call of `copy`. */
const COPY_FROM = 32
/** The most that the lengths of a record and of its value take. */
const LENGTHS = 10
/** UTF-8 takes at most this many bytes for a UTF-16 unit. */
export const MOST_PER_UNIT = 3

/**
 * Encodes records one by one into one growing buffer, and makes a record batch of format 2 of them. One builder makes
 * one batch.
 */
export class RecordBatchBuilder {
  /** How many records were appended. */
  count = 0
  private buf: Buffer
  private pos = HEADER_SIZE
  private baseTimestamp: number
  private maxTimestamp = -1
  private readonly options: BatchOptions
  private readonly memory: BatchMemory
  private built = false

  constructor(options: BatchOptions = {}) {
    this.options = options
    this.memory = options.memory ?? UNSHARED
    this.buf = this.memory.take(Math.max(HEADER_SIZE, options.initialSize ?? 1024))
    this.baseTimestamp = options.baseTimestamp ?? -1
  }

  /** Bytes of the batch so far, header included, before compression. */
  get sizeInBytes(): number {
    return this.pos
  }

  /**
   * Adds a record. `timestamp` is in milliseconds. A value given as text is encoded as UTF-8
   * straight into the batch. Throws MR_PROTOCOL_UNREPRESENTABLE past 2 GiB.
   */
  append(
    key: Buffer | null,
    value: Buffer | string | null,
    timestamp: number,
    headers: readonly HeaderInput[] = NO_HEADERS,
  ): void {
    if (this.built) throw new TypeError('append after build')
    if (this.count === 0 && this.options.baseTimestamp === undefined) this.baseTimestamp = timestamp
    const delta = timestamp - this.baseTimestamp
    const around = 1 + sizeOfVarlong(delta) + sizeOfVarint(this.count) + sizeOfBytes(key) + sizeOfHeaders(headers)
    let length = value === null ? -1 : value.length
    if (typeof value === 'string' && this.pos + around + length * MOST_PER_UNIT + LENGTHS > this.buf.length) {
      length = Buffer.byteLength(value)
    }
    // The length of a text comes before it: it is written as if it were ASCII, and once more where
    // it is not.
    for (let written = false; !written; ) {
      const size = around + sizeOfVarint(length) + Math.max(0, length)
      if (this.pos + size + LENGTHS > this.buf.length) this.grow(this.pos + size + LENGTHS)
      const { buf } = this
      let at = writeVarint(buf, this.pos, size)
      // Attributes: none are defined for records of format 2.
      buf[at++] = 0
      at = writeVarlong(buf, at, delta)
      at = writeVarint(buf, at, this.count)
      at = writeBytes(buf, at, key)
      if (typeof value === 'string') {
        at = writeVarint(buf, at, length)
        const bytes = buf.write(value, at)
        if (bytes !== length) {
          length = bytes
          continue
        }
        at += bytes
      } else at = writeBytes(buf, at, value)
      at = writeVarint(buf, at, headers.length)
      if (headers.length > 0) at = writeHeaders(buf, at, headers)
      this.pos = at
      written = true
    }
    this.count++
    if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp
  }

  private grow(least: number): void {
    if (least > MAX_SIZE) throw unrepresentable('a record batch', 'it is longer than 2 GiB')
    const larger = this.memory.take(Math.min(MAX_SIZE, Math.max(least, this.buf.length * 2)))
    this.buf.copy(larger, 0, 0, this.pos)
    this.memory.give(this.buf)
    this.buf = larger
  }

  /** Compresses, writes the header with the checksum, and returns the batch. Nothing can be appended afterwards. */
  build(): Buffer {
    this.built = true
    const { transactional, control, logAppendTime } = this.options
    const compression = compressionId(this.options.compression ?? CompressionType.NONE)
    const batch = compression === CompressionType.NONE ? this.buf.subarray(0, this.pos) : this.compressed(compression)
    setBaseOffset(batch, 0, this.options.baseOffset ?? 0)
    batch.writeInt32BE(batch.length - LOG_OVERHEAD, BATCH_LENGTH)
    setLeaderEpoch(batch, 0, this.options.leaderEpoch ?? -1)
    batch[MAGIC] = MAGIC_V2
    const flags =
      compression |
      (logAppendTime ? LOG_APPEND_TIME_FLAG : 0) |
      (transactional ? TRANSACTIONAL_FLAG : 0) |
      (control ? CONTROL_FLAG : 0)
    batch.writeInt16BE(flags, ATTRIBUTES)
    batch.writeInt32BE(Math.max(0, this.count - 1), LAST_OFFSET_DELTA)
    writeTimestamps(batch, 0, this.baseTimestamp, this.maxTimestamp)
    batch.writeInt32BE(this.count, RECORD_COUNT)
    setProducerState(batch, 0, this.options.producerId ?? -1, this.options.epoch ?? -1, this.options.sequence ?? -1)
    return batch
  }

  private compressed(type: CompressionType): Buffer {
    const body = compress(type, this.buf.subarray(HEADER_SIZE, this.pos))
    const batch = this.memory.take(HEADER_SIZE + body.length)
    body.copy(batch, HEADER_SIZE)
    this.memory.give(this.buf)
    this.buf = batch
    return batch
  }

  /** Gives the memory back. Only after `build`, and once nothing reads the batch any more. */
  release(): void {
    if (!this.built) throw new TypeError('release before build')
    this.memory.give(this.buf)
    this.buf = NOTHING
  }
}

function sizeOfHeaders(headers: readonly HeaderInput[]): number {
  let size = sizeOfVarint(headers.length)
  for (const { key, value } of headers) {
    const length = typeof key === 'string' ? Buffer.byteLength(key) : key.length
    size += sizeOfVarint(length) + length + sizeOfBytes(value)
  }
  return size
}

function sizeOfBytes(value: Buffer | string | null): number {
  return value === null ? 1 : sizeOfVarint(value.length) + value.length
}

function writeBytes(buf: Buffer, start: number, value: Buffer | null): number {
  if (value === null) {
    buf[start] = 1
    return start + 1
  }
  const { length } = value
  let at = writeVarint(buf, start, length)
  if (length < COPY_FROM) for (let i = 0; i < length; i++) buf[at++] = value[i]!
  else {
    buf.set(value, at)
    at += length
  }
  return at
}

function writeHeaders(buf: Buffer, start: number, headers: readonly HeaderInput[]): number {
  let at = start
  for (const { key, value } of headers) {
    if (typeof key === 'string') {
      const length = Buffer.byteLength(key)
      at = writeVarint(buf, at, length)
      at += buf.write(key, at, length, 'utf8')
    } else at = writeBytes(buf, at, key)
    at = writeBytes(buf, at, value)
  }
  return at
}

/**
 * The most bytes that a record can take in a batch, whatever its place there; with the batch's
 * header it is what a producer compares with `max.request.size`. A value given as text is counted
 * as if it were ASCII: other text takes up to `MOST_PER_UNIT` times its length.
 */
export function estimateRecordSize(
  key: Buffer | null,
  value: Buffer | string | null,
  headers: readonly HeaderInput[] = NO_HEADERS,
): number {
  // Length, attributes, timestamp delta and offset delta at their longest.
  return 5 + 1 + 10 + 5 + sizeOfBytes(key) + sizeOfBytes(value) + sizeOfHeaders(headers)
}
