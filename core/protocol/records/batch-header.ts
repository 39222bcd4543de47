import { type CompressionType, toCompressionType } from '../compression/index.ts'
import { ErrorCode, KafkaError } from '../error-codes.ts'
import { crc32c } from './crc32c.ts'

/**
 * The header of a record batch of format 2 (KIP-98, Kafka's `DefaultRecordBatch`), which these
 * functions read and change in place. Every function takes a buffer and the position at which the
 * batch begins. The constants are the positions of fields, in bytes from the beginning of the
 * batch.
 */
export const BASE_OFFSET = 0
export const BATCH_LENGTH = 8
export const LEADER_EPOCH = 12
export const MAGIC = 16
export const CRC = 17
/**
 * The checksum covers the bytes from this field to the end of the batch. It does not cover the base
 * offset and the leader epoch, so that a broker can change them.
 */
export const ATTRIBUTES = 21
export const LAST_OFFSET_DELTA = 23
export const BASE_TIMESTAMP = 27
export const MAX_TIMESTAMP = 35
export const PRODUCER_ID = 43
export const PRODUCER_EPOCH = 51
export const BASE_SEQUENCE = 53
export const RECORD_COUNT = 57
/** The size of the header. The records follow the header. */
export const HEADER_SIZE = 61
/** The size of the fields that `batchLength` does not count: the base offset and the length. */
export const LOG_OVERHEAD = 12

export const MAGIC_V2 = 2

export const COMPRESSION_MASK = 0x07
export const LOG_APPEND_TIME_FLAG = 0x08
export const TRANSACTIONAL_FLAG = 0x10
export const CONTROL_FLAG = 0x20
export const DELETE_HORIZON_FLAG = 0x40

/** The type of a batch's timestamps. 0 means CreateTime, and 1 means LogAppendTime. */
export type TimestampType = 0 | 1

function readInt64(buf: Buffer, at: number): number {
  return buf.readInt32BE(at) * 4294967296 + buf.readUInt32BE(at + 4)
}

/**
 * Writes an int64. Clamps values that do not fit into 64 bits. The largest int64 is read back as
 * 2^63.
 */
function writeInt64(buf: Buffer, at: number, value: number): void {
  if (value >= 2 ** 63 || value < -(2 ** 63)) {
    buf.writeBigInt64BE(value > 0 ? 2n ** 63n - 1n : -(2n ** 63n), at)
    return
  }
  const high = Math.floor(value / 4294967296)
  buf.writeInt32BE(high, at)
  buf.writeUInt32BE(value - high * 4294967296, at + 4)
}

export const baseOffset = (buf: Buffer, pos: number): number => readInt64(buf, pos + BASE_OFFSET)
/** Returns the number of bytes after the length field. */
export const batchLength = (buf: Buffer, pos: number): number => buf.readInt32BE(pos + BATCH_LENGTH)
/** Returns the size of the whole batch, in bytes. */
export const batchSize = (buf: Buffer, pos: number): number => batchLength(buf, pos) + LOG_OVERHEAD
export const leaderEpoch = (buf: Buffer, pos: number): number => buf.readInt32BE(pos + LEADER_EPOCH)
export const magic = (buf: Buffer, pos: number): number => buf.readInt8(pos + MAGIC)
export const crc = (buf: Buffer, pos: number): number => buf.readUInt32BE(pos + CRC)
export const attributes = (buf: Buffer, pos: number): number => buf.readInt16BE(pos + ATTRIBUTES)
export const lastOffsetDelta = (buf: Buffer, pos: number): number => buf.readInt32BE(pos + LAST_OFFSET_DELTA)
export const lastOffset = (buf: Buffer, pos: number): number => baseOffset(buf, pos) + lastOffsetDelta(buf, pos)
/**
 * Returns the base timestamp in milliseconds. If the batch has a delete horizon, returns the
 * horizon.
 */
export const baseTimestamp = (buf: Buffer, pos: number): number => readInt64(buf, pos + BASE_TIMESTAMP)
export const maxTimestamp = (buf: Buffer, pos: number): number => readInt64(buf, pos + MAX_TIMESTAMP)
/** Returns the producer id; -1 if the producer is not idempotent. */
export const producerId = (buf: Buffer, pos: number): number => readInt64(buf, pos + PRODUCER_ID)
export const producerEpoch = (buf: Buffer, pos: number): number => buf.readInt16BE(pos + PRODUCER_EPOCH)
export const baseSequence = (buf: Buffer, pos: number): number => buf.readInt32BE(pos + BASE_SEQUENCE)
export const recordCount = (buf: Buffer, pos: number): number => buf.readInt32BE(pos + RECORD_COUNT)

export const isTransactional = (buf: Buffer, pos: number): boolean => (attributes(buf, pos) & TRANSACTIONAL_FLAG) !== 0
export const isControl = (buf: Buffer, pos: number): boolean => (attributes(buf, pos) & CONTROL_FLAG) !== 0
export const timestampTypeOf = (buf: Buffer, pos: number): TimestampType =>
  attributes(buf, pos) & LOG_APPEND_TIME_FLAG ? 1 : 0
/** Returns the codec. Throws UNSUPPORTED_COMPRESSION_TYPE for an unknown number. */
export const compressionOf = (buf: Buffer, pos: number): CompressionType =>
  toCompressionType(attributes(buf, pos) & COMPRESSION_MASK)

/** Sets the base offset, which the checksum does not cover. */
export function setBaseOffset(buf: Buffer, pos: number, offset: number): void {
  writeInt64(buf, pos + BASE_OFFSET, offset)
}

/** Sets the leader epoch, which the checksum does not cover. */
export function setLeaderEpoch(buf: Buffer, pos: number, epoch: number): void {
  buf.writeInt32BE(epoch, pos + LEADER_EPOCH)
}

/**
 * Sets the producer id, epoch and sequence number, and updates the checksum. A producer calls this
 * before it sends a batch again with a new id or epoch.
 */
export function setProducerState(buf: Buffer, pos: number, id: number, epoch: number, sequence: number): void {
  writeInt64(buf, pos + PRODUCER_ID, id)
  buf.writeInt16BE(epoch, pos + PRODUCER_EPOCH)
  buf.writeInt32BE(sequence, pos + BASE_SEQUENCE)
  updateCrc(buf, pos)
}

/**
 * Writes the base timestamp and the maximum timestamp. The checksum covers both, so the caller must
 * update the checksum afterwards.
 */
export function writeTimestamps(buf: Buffer, pos: number, base: number, max: number): void {
  writeInt64(buf, pos + BASE_TIMESTAMP, base)
  writeInt64(buf, pos + MAX_TIMESTAMP, max)
}

/** The bits of the attributes that format 2 defines. */
const KNOWN_FLAGS = COMPRESSION_MASK | LOG_APPEND_TIME_FLAG | TRANSACTIONAL_FLAG | CONTROL_FLAG | DELETE_HORIZON_FLAG

/**
 * Sets the maximum timestamp and the type of the timestamps, and updates the checksum. As in Kafka,
 * clears the attribute bits that format 2 does not define.
 */
export function setMaxTimestamp(buf: Buffer, pos: number, type: TimestampType, timestamp: bigint): void {
  const flags = attributes(buf, pos) & KNOWN_FLAGS & ~LOG_APPEND_TIME_FLAG
  buf.writeInt16BE(type === 1 ? flags | LOG_APPEND_TIME_FLAG : flags, pos + ATTRIBUTES)
  buf.writeBigInt64BE(timestamp, pos + MAX_TIMESTAMP)
  updateCrc(buf, pos)
}

export function computeCrc(buf: Buffer, pos: number): number {
  return crc32c(buf, pos + ATTRIBUTES, pos + batchSize(buf, pos))
}

export function updateCrc(buf: Buffer, pos: number): void {
  buf.writeUInt32BE(computeCrc(buf, pos), pos + CRC)
}

/** The decoded fields of a batch header. */
export interface BatchHeader {
  readonly baseOffset: number
  readonly lastOffsetDelta: number
  /** The size of the whole batch in bytes. */
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
}

/** Reads all fields of a batch header. The buffer must contain the complete header. */
export function readHeader(buf: Buffer, pos: number): BatchHeader {
  const flags = attributes(buf, pos)
  return {
    baseOffset: baseOffset(buf, pos),
    lastOffsetDelta: lastOffsetDelta(buf, pos),
    size: batchSize(buf, pos),
    leaderEpoch: leaderEpoch(buf, pos),
    attributes: flags,
    timestampType: flags & LOG_APPEND_TIME_FLAG ? 1 : 0,
    isTransactional: (flags & TRANSACTIONAL_FLAG) !== 0,
    isControl: (flags & CONTROL_FLAG) !== 0,
    baseTimestamp: baseTimestamp(buf, pos),
    maxTimestamp: maxTimestamp(buf, pos),
    producerId: producerId(buf, pos),
    producerEpoch: producerEpoch(buf, pos),
    baseSequence: baseSequence(buf, pos),
    recordCount: recordCount(buf, pos),
  }
}

/** A batch that passed `validateBatch`. */
export interface BatchInfo extends BatchHeader {
  /** The position of the batch in its buffer. */
  readonly pos: number
  readonly compression: CompressionType
}

/**
 * Checks that a batch from a client or from disk is complete, and has format 2, a correct checksum
 * and consistent counts. Does not check the records. Accepts compacted batches, so the caller must
 * check that a client's batch has all its records (`recordCount === lastOffsetDelta + 1`). Throws a
 * KafkaError: CORRUPT_MESSAGE, MESSAGE_TOO_LARGE (over `maxBatchBytes`),
 * UNSUPPORTED_FOR_MESSAGE_FORMAT (formats 0 and 1), INVALID_RECORD or UNSUPPORTED_COMPRESSION_TYPE.
 */
export function validateBatch(
  buf: Buffer,
  pos: number,
  end: number,
  options: { readonly maxBatchBytes?: number } = {},
): BatchInfo {
  const left = end - pos
  if (left < MAGIC + 1) throw corrupt(`${left} bytes are too short for a batch`)
  const size = batchSize(buf, pos)
  // The magic byte is at the same position in all formats.
  const format = magic(buf, pos)
  if (format === 0 || format === 1)
    throw new KafkaError(
      ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT,
      `The batch has message format ${format}, but only format 2 is accepted.`,
    )
  if (format !== MAGIC_V2) throw corrupt(`the batch has message format ${format}, which does not exist`)
  if (size < HEADER_SIZE) throw corrupt(`a batch of ${size} bytes is shorter than its header`)
  if (options.maxBatchBytes !== undefined && size > options.maxBatchBytes)
    throw new KafkaError(
      ErrorCode.MESSAGE_TOO_LARGE,
      `The record batch has ${size} bytes, but at most ${options.maxBatchBytes} are accepted.`,
    )
  if (size > left) throw corrupt(`the batch announces ${size} bytes, but only ${left} exist`)
  const expected = crc(buf, pos)
  const computed = crc32c(buf, pos + ATTRIBUTES, pos + size)
  if (expected !== computed) throw corrupt(`the checksum is ${computed}, but the header contains ${expected}`)
  const header = readHeader(buf, pos)
  // Compaction removes records but keeps the last offset, so a batch may even contain no records.
  if (header.recordCount < 0 || header.lastOffsetDelta < 0 || header.recordCount > header.lastOffsetDelta + 1)
    throw new KafkaError(
      ErrorCode.INVALID_RECORD,
      `The batch announces ${header.recordCount} records, but its last offset delta is ${header.lastOffsetDelta}.`,
    )
  return { ...header, pos, compression: toCompressionType(header.attributes & COMPRESSION_MASK) }
}

function corrupt(detail: string): KafkaError {
  return new KafkaError(ErrorCode.CORRUPT_MESSAGE, `Corrupt record batch: ${detail}.`)
}
