import { CompressionType, compressionId } from '../../../protocol/compression/index.ts'
import { ErrorCode, errorFor, type KafkaError } from '../../../protocol/error-codes.ts'
import * as header from '../../../protocol/records/batch-header.ts'
import { type BatchMeta, batchProblem, readBatchMeta } from '../segment/batch-meta.ts'
import type { LogConfig } from '../types.ts'
import { type BatchRules, RecordsRejected, type Verdict } from '../validation/rules.ts'

/** Records that passed the checks, with the batch metadata that the log needs. */
export interface CheckedRecords {
  readonly bytes: Buffer
  readonly batches: BatchMeta[]
  /**
   * With LogAppendTime, the broker's time that replaces the record timestamps. -1 for CreateTime.
   */
  readonly logAppendTime: number
}

/** Returns the rules for checking a producer's records. */
export function rulesFor(partition: string, config: LogConfig, now: number): BatchRules {
  const { compressionType } = config
  return {
    partition,
    now,
    needsKeys: config.cleanupPolicy.includes('compact'),
    isAppendTime: config.messageTimestampType === 'LogAppendTime',
    beforeMaxMs: config.messageTimestampBeforeMaxMs,
    afterMaxMs: config.messageTimestampAfterMaxMs,
    maxBytes: config.maxMessageBytes,
    codec:
      compressionType === 'producer'
        ? null
        : compressionType === 'uncompressed'
          ? CompressionType.NONE
          : compressionId(compressionType),
  }
}

/**
 * Returns the batch to append after validation: the producer's batch, with a corrected maximum
 * timestamp if necessary, or a rewritten batch. Returns the error if the batch is rejected.
 */
export function applyVerdict(
  batch: Buffer,
  verdict: Verdict,
  rules: BatchRules,
  config: LogConfig,
): CheckedRecords | KafkaError {
  if (verdict.kind === 'rejected') return new RecordsRejected(verdict.code, verdict.detail, verdict.recordErrors)
  let bytes = batch
  if (verdict.kind === 'rewritten') bytes = verdict.bytes
  else if (verdict.stamp !== null) header.setMaxTimestamp(batch, 0, verdict.stamp.type, verdict.stamp.timestamp)
  return (
    segmentProblem(bytes, config) ?? {
      bytes,
      batches: [readBatchMeta(bytes, 0)],
      logAppendTime: rules.isAppendTime ? rules.now : -1,
    }
  )
}

/**
 * Checks that batches from this broker or from a leader are complete, and that their offsets can be
 * stored. Does not check their records, because this broker built them or the leader has checked
 * them.
 */
export function checkOwn(
  records: Buffer,
  origin: 'coordinator' | 'replication',
  config: LogConfig,
): CheckedRecords | KafkaError {
  if (records.length === 0) return errorFor(ErrorCode.INVALID_RECORD, 'The request contains no records.')
  const batches: BatchMeta[] = []
  for (let at = 0; at < records.length; at += batches.at(-1)!.size) {
    const problem = batchProblem(records, at, records.length)
    if (problem !== null) return errorFor(ErrorCode.CORRUPT_MESSAGE, `Corrupt record batch: ${problem}.`)
    const meta = readBatchMeta(records, at)
    if (origin === 'replication' && !Number.isSafeInteger(meta.lastOffset)) {
      return errorFor(ErrorCode.CORRUPT_MESSAGE, `Offset ${meta.lastOffset} is too large for a log.`)
    }
    if (origin === 'coordinator' && meta.size > config.maxMessageBytes) {
      const detail = `The record batch has ${meta.size} bytes, but at most ${config.maxMessageBytes} are accepted.`
      return errorFor(ErrorCode.MESSAGE_TOO_LARGE, detail)
    }
    batches.push(meta)
  }
  const problem = origin === 'replication' ? null : segmentProblem(records, config)
  return problem ?? { bytes: records, batches, logAppendTime: -1 }
}

function segmentProblem(bytes: Buffer, { segmentBytes }: LogConfig): KafkaError | null {
  if (bytes.length <= segmentBytes) return null
  const detail = `Message batch size is ${bytes.length} bytes, which exceeds the segment size of ${segmentBytes}.`
  return errorFor(ErrorCode.RECORD_LIST_TOO_LARGE, detail)
}
