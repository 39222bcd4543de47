import { messageOf } from '../../common/errors/error-table.ts'
import { CompressionType } from '../../protocol/compression/index.ts'
import { ErrorCode, errorFor, KafkaError } from '../../protocol/error-codes.ts'
import * as header from '../../protocol/records/batch-header.ts'
import { readBatches } from '../../protocol/records/batch-reader.ts'
import { type BatchMeta, readBatchMeta } from './batch-meta.ts'
import { recompress } from './batch-rewrite.ts'
import { NEVER } from './log-config.ts'
import { countRecords } from './record-walk.ts'
import type { AppendOrigin, LogConfig } from './types.ts'

/** Records that may be appended, with what the log needs to know of their batches. */
export interface CheckedRecords {
  readonly bytes: Buffer
  readonly batches: BatchMeta[]
  /** The broker's time put into them; -1 for CreateTime. */
  readonly logAppendTime: number
}

/**
 * Checks everything about records that does not depend on what is in the log: framing, CRC, size, counts, timestamps, keys
 * of compacted topics. Decodes records only where the configuration asks about them. May rewrite the batches (log append
 * time, another compression). Throws a KafkaError.
 */
function checkRecords(records: Buffer, origin: AppendOrigin, config: LogConfig, now: number): CheckedRecords {
  if (records.length === 0) throw errorFor(ErrorCode.INVALID_RECORD, 'The request holds no records.')
  let bytes = records
  if (origin === 'client' && config.compressionType !== 'producer') {
    bytes = recompress(records, config.compressionType, config.maxMessageBytes)
  }
  const stamp = origin === 'client' && config.messageTimestampType === 'LogAppendTime'
  const batches: BatchMeta[] = []
  for (let at = 0; at < bytes.length; ) {
    // a follower takes what its leader took, under the limits in force then
    header.validateBatch(
      bytes,
      at,
      bytes.length,
      origin === 'replication' ? {} : { maxBatchBytes: config.maxMessageBytes },
    )
    if (stamp) header.setLogAppendTime(bytes, at, now)
    const meta = readBatchMeta(bytes, at)
    if (origin === 'client') checkClientBatch(bytes, meta, config, now)
    batches.push(meta)
    at += meta.size
  }
  if (bytes.length > config.segmentBytes && origin !== 'replication') {
    const detail = `Message batch size is ${bytes.length} bytes, which exceeds the segment size of ${config.segmentBytes}.`
    throw errorFor(ErrorCode.RECORD_LIST_TOO_LARGE, detail)
  }
  return { bytes, batches, logAppendTime: stamp ? now : -1 }
}

/** The same, where anything wrong inside the records (what does not decompress or decode) is a KafkaError too. */
export function checkedOrRefused(
  records: Buffer,
  origin: AppendOrigin,
  config: LogConfig,
  now: number,
): CheckedRecords | KafkaError {
  try {
    return checkRecords(records, origin, config, now)
  } catch (error) {
    if (error instanceof KafkaError) return error
    return errorFor(ErrorCode.CORRUPT_MESSAGE, `The records cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

function checkClientBatch(bytes: Buffer, meta: BatchMeta, config: LogConfig, now: number): void {
  const { at } = meta
  const count = header.recordCount(bytes, at)
  const invalid = (detail: string) => errorFor(ErrorCode.INVALID_RECORD, detail)
  if (meta.isControl) throw invalid('Clients are not allowed to write control records.')
  if (count === 0 || header.lastOffsetDelta(bytes, at) !== count - 1) {
    throw invalid(`The batch says ${count} records and a last offset delta of ${header.lastOffsetDelta(bytes, at)}.`)
  }
  if (meta.producerId >= 0 && meta.baseSequence < 0) {
    throw invalid(`Invalid sequence number ${meta.baseSequence} in record batch with producerId ${meta.producerId}`)
  }
  if (meta.isTransactional && meta.producerId < 0) throw invalid('A transactional batch needs a producer id.')
  if (header.compressionOf(bytes, at) === CompressionType.NONE && countRecords(bytes, at, meta.size) !== count) {
    throw invalid(`The batch says that it has ${count} records, and does not.`)
  }
  if (config.messageTimestampType === 'CreateTime') checkTimestamps(bytes, meta, config, now)
  if (config.cleanupPolicy.includes('compact')) checkKeys(bytes, meta)
}

function checkTimestamps(bytes: Buffer, meta: BatchMeta, config: LogConfig, now: number): void {
  const refuse = (detail: string) => errorFor(ErrorCode.INVALID_TIMESTAMP, detail)
  if (header.timestampTypeOf(bytes, meta.at) !== 0) {
    throw refuse('Invalid timestamp type in message. Message timestamp type should be CreateTime.')
  }
  if (meta.maxTimestamp - now > config.messageTimestampAfterMaxMs) {
    throw refuse(
      `Timestamp ${meta.maxTimestamp} of a message is more than message.timestamp.after.max.ms ahead of ${now}.`,
    )
  }
  if (config.messageTimestampBeforeMaxMs >= NEVER) return
  for (const batch of readBatches(bytes.subarray(meta.at, meta.at + meta.size))) {
    for (const record of batch.records()) {
      if (record.timestamp >= 0 && now - record.timestamp > config.messageTimestampBeforeMaxMs) {
        throw refuse(
          `Timestamp ${record.timestamp} of a message is more than message.timestamp.before.max.ms behind ${now}.`,
        )
      }
    }
  }
}

function checkKeys(bytes: Buffer, meta: BatchMeta): void {
  for (const batch of readBatches(bytes.subarray(meta.at, meta.at + meta.size))) {
    for (const record of batch.records()) {
      if (record.key !== null) continue
      throw errorFor(ErrorCode.INVALID_RECORD, 'Compacted topic cannot accept message without key.')
    }
  }
}
