import { COMPRESSION_NAMES } from '../../../protocol/compression/index.ts'
import { ErrorCode, errorFor, type KafkaError } from '../../../protocol/error-codes.ts'
import * as header from '../../../protocol/records/batch-header.ts'

/**
 * The minimum value of a batch's length field. As in Kafka, this is the size of an empty message in
 * message format 0.
 */
const MIN_LENGTH = 14
const BYTES_TO_LENGTH = header.LOG_OVERHEAD
const BYTES_TO_MAGIC = header.MAGIC + 1

type Frame = { readonly size: number } | { readonly problem: string } | null

/**
 * Returns the size of the batch at a position, an error message if the batch is invalid, or null if
 * there is no complete batch.
 */
function frameAt(records: Buffer, at: number): Frame {
  const left = records.length - at
  if (left < BYTES_TO_LENGTH) return null
  const length = header.batchLength(records, at)
  if (length < MIN_LENGTH) {
    return { problem: `Record size ${length} is less than the minimum record overhead (${MIN_LENGTH})` }
  }
  if (left < BYTES_TO_MAGIC) return null
  const magic = header.magic(records, at)
  if (magic < 0 || magic > header.MAGIC_V2) return { problem: `Invalid magic found in record: ${magic}` }
  const size = length + header.LOG_OVERHEAD
  return size > left ? null : { size }
}

/**
 * Returns the batch of a produce request, without trailing bytes. A request may contain only one
 * batch per partition. Checks the rules of Kafka's `ProduceRequest.validateRecords`, and throws a
 * KafkaError if the request breaks one.
 */
export function singleBatch(records: Buffer | null, version: number): Buffer {
  const of = `Produce requests with version ${version}`
  const first = records === null ? null : frameAt(records, 0)
  if (records === null || first === null) {
    throw errorFor(ErrorCode.INVALID_RECORD, `${of} must have at least one complete record batch per partition`)
  }
  if ('problem' in first) throw errorFor(ErrorCode.CORRUPT_MESSAGE, first.problem)
  if (header.magic(records, 0) !== header.MAGIC_V2) {
    const detail = `${of} are only allowed to contain record batches with magic version 2`
    throw errorFor(ErrorCode.INVALID_RECORD, detail)
  }
  if (version < 7 && first.size >= header.HEADER_SIZE && codecBits(records) === 4) {
    throw errorFor(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, `${of} are not allowed to use ZStandard compression`)
  }
  const second = frameAt(records, first.size)
  if (second === null) {
    // As in Kafka, this is checked before the partition is looked up.
    if (first.size < header.HEADER_SIZE) {
      throw errorFor(ErrorCode.INVALID_RECORD, `A record batch of ${first.size} bytes is too short for a header`)
    }
    return records.length === first.size ? records : records.subarray(0, first.size)
  }
  if ('problem' in second) throw errorFor(ErrorCode.CORRUPT_MESSAGE, second.problem)
  const detail = `${of} are only allowed to contain exactly one record batch per partition`
  throw errorFor(ErrorCode.INVALID_RECORD, detail)
}

/** Returns whether a producer's batch has the transactional flag. The batch may be truncated. */
export function claimsTransaction(records: Buffer | null): boolean {
  if (records === null || records.length < header.HEADER_SIZE) return false
  const frame = frameAt(records, 0)
  return frame !== null && 'size' in frame && header.isTransactional(records, 0)
}

const codecBits = (batch: Buffer) => header.attributes(batch, 0) & header.COMPRESSION_MASK

/**
 * Returns the first error in the header or checksum of a producer's batch, or null. The order of
 * the checks is Kafka's.
 */
export function headerProblem(batch: Buffer, partition: string, maxBytes: number): KafkaError | null {
  const invalid = (detail: string) => errorFor(ErrorCode.INVALID_RECORD, `${detail} in topic partition ${partition}.`)
  if (batch.length < header.LOG_OVERHEAD || header.batchSize(batch, 0) > batch.length) {
    return invalid(`${batch.length} bytes are not a complete record batch`)
  }
  if (batch.length < header.HEADER_SIZE || header.batchSize(batch, 0) !== batch.length) {
    const size = header.batchSize(batch, 0)
    const detail = `The ${batch.length} bytes are not exactly one record batch: the header says ${size} bytes, and a batch has at least ${header.HEADER_SIZE}.`
    return errorFor(ErrorCode.CORRUPT_MESSAGE, detail)
  }
  if (header.magic(batch, 0) !== header.MAGIC_V2)
    return invalid('Only record batches with magic version 2 are accepted')
  if (header.baseOffset(batch, 0) !== 0) {
    return invalid(`The base offset of a batch should be 0, but it is ${batch.readBigInt64BE(header.BASE_OFFSET)},`)
  }
  if (batch.length > maxBytes) {
    const detail = `The record batch for ${partition} has ${batch.length} bytes, but at most ${maxBytes} are accepted.`
    return errorFor(ErrorCode.MESSAGE_TOO_LARGE, detail)
  }
  const crc = header.crc(batch, 0)
  const computed = header.computeCrc(batch, 0)
  if (crc !== computed) {
    const detail = `The checksum of the batch for ${partition} is ${computed}, but its header says ${crc}.`
    return errorFor(ErrorCode.CORRUPT_MESSAGE, detail)
  }
  if (COMPRESSION_NAMES[codecBits(batch)] === undefined) {
    return errorFor(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, `Compression type ${codecBits(batch)} does not exist.`)
  }
  const count = header.recordCount(batch, 0)
  const span = header.lastOffsetDelta(batch, 0) + 1
  if (span <= 0 || count <= 0 || span !== count) {
    return invalid(`The batch header has record count ${count}, but last offset delta ${span - 1}`)
  }
  if (header.isControl(batch, 0)) return invalid('Clients are not allowed to write control records')
  const sequence = header.baseSequence(batch, 0)
  if (sequence < 0 && header.producerId(batch, 0) >= 0) {
    const id = batch.readBigInt64BE(header.PRODUCER_ID)
    return invalid(`Invalid sequence number ${sequence} in a record batch with producer id ${id}`)
  }
  return null
}
