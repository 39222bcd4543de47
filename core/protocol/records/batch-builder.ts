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

/** A header to write. The key is a string or the UTF-8 bytes of a string. */
export interface HeaderInput {
  readonly key: string | Buffer
  readonly value: Buffer | null
}

/** A pool of buffers. A builder can reuse a buffer that another builder has returned. */
export interface BatchMemory {
  /** Returns a buffer of this size with arbitrary content. */
  take(bytes: number): Buffer
  give(buffer: Buffer): void
}

export interface BatchOptions {
  /** The codec that compresses the batch. Default: none. */
  readonly compression?: CompressionName | CompressionType
  /**
   * The base of the records' timestamps, in milliseconds. Default: the timestamp of the first
   * record.
   */
  readonly baseTimestamp?: number
  /** The producer id. Default: -1, which means that the producer is not idempotent. */
  readonly producerId?: number
  readonly epoch?: number
  /** The sequence number of the first record. */
  readonly sequence?: number
  readonly transactional?: boolean
  readonly control?: boolean
  /**
   * Whether the batch uses LogAppendTime. The maximum timestamp is then the time of the append, and
   * applies to all records.
   */
  readonly logAppendTime?: boolean
  /** The offset of the first record, which the broker sets. Default: 0. */
  readonly baseOffset?: number
  /** The leader epoch, which the broker sets. Default: -1. */
  readonly leaderEpoch?: number
  /**
   * The initial size of the buffer, in bytes. The buffer doubles when it is full. Default: 1024.
   */
  readonly initialSize?: number
  /** The pool that provides the buffer. Default: no pool. */
  readonly memory?: BatchMemory
}

const UNSHARED: BatchMemory = { take: bytes => Buffer.allocUnsafeSlow(bytes), give: () => undefined }

const NO_HEADERS: readonly HeaderInput[] = []
const EMPTY = Buffer.alloc(0)
const MAX_SIZE = 0x7fffffff
/** Values below this length are copied by a loop, which is faster than a call of `set`. */
const MAX_LOOP_COPY = 32
/** The maximum size of two varints: the length of a record, and the length of its value. */
const MAX_LENGTHS_SIZE = 10
/** The maximum number of UTF-8 bytes per UTF-16 code unit. */
export const MAX_UTF8_PER_UNIT = 3

/**
 * Encodes records into a growing buffer, and builds a record batch of format 2 from them. A builder
 * can build only one batch.
 */
export class RecordBatchBuilder {
  /** The number of records that were appended. */
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

  /** The size of the batch so far in bytes, including the header and before compression. */
  get sizeInBytes(): number {
    return this.pos
  }

  /**
   * Adds a record. `timestamp` is in milliseconds. A string value is encoded as UTF-8 directly into
   * the batch. Throws MR_PROTOCOL_UNREPRESENTABLE if the batch would exceed 2 GiB.
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
    const otherSize = 1 + sizeOfVarlong(delta) + sizeOfVarint(this.count) + sizeOfBytes(key) + sizeOfHeaders(headers)
    let length = value === null ? -1 : value.length
    if (
      typeof value === 'string' &&
      this.pos + otherSize + length * MAX_UTF8_PER_UNIT + MAX_LENGTHS_SIZE > this.buf.length
    ) {
      length = Buffer.byteLength(value)
    }
    // The length of a value precedes its bytes. The first attempt assumes that a string is ASCII.
    // If it is not, the record is written again with the length of the encoded string.
    for (let written = false; !written; ) {
      const size = otherSize + sizeOfVarint(length) + Math.max(0, length)
      if (this.pos + size + MAX_LENGTHS_SIZE > this.buf.length) this.grow(this.pos + size + MAX_LENGTHS_SIZE)
      const { buf } = this
      let at = writeVarint(buf, this.pos, size)
      // Format 2 does not use the attributes of a record.
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

  private grow(minimum: number): void {
    if (minimum > MAX_SIZE) throw unrepresentable('a record batch', 'it is longer than 2 GiB')
    const larger = this.memory.take(Math.min(MAX_SIZE, Math.max(minimum, this.buf.length * 2)))
    this.buf.copy(larger, 0, 0, this.pos)
    this.memory.give(this.buf)
    this.buf = larger
  }

  /**
   * Returns the batch. Compresses the records, and writes the header and its checksum. No record
   * can be appended afterwards.
   */
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

  /**
   * Returns the buffer to the pool. Call it only after `build`, when nothing reads the batch any
   * longer.
   */
  release(): void {
    if (!this.built) throw new TypeError('release before build')
    this.memory.give(this.buf)
    this.buf = EMPTY
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
  if (length < MAX_LOOP_COPY) for (let i = 0; i < length; i++) buf[at++] = value[i]!
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
 * Returns the maximum size that a record can have, wherever it is in a batch. A producer adds the
 * size of the batch header, and compares the sum with `max.request.size`. The result is correct
 * only if a string value is ASCII. Any other string takes up to `MAX_UTF8_PER_UNIT` times its
 * length.
 */
export function estimateRecordSize(
  key: Buffer | null,
  value: Buffer | string | null,
  headers: readonly HeaderInput[] = NO_HEADERS,
): number {
  // The first four numbers are the maximum sizes of the length, attributes, timestamp delta and
  // offset delta.
  return 5 + 1 + 10 + 5 + sizeOfBytes(key) + sizeOfBytes(value) + sizeOfHeaders(headers)
}
