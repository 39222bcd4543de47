import { messageOf } from '../../../common/errors/error-table.ts'
import { CompressionType, compress, decompress } from '../../../protocol/compression/index.ts'
import { ErrorCode } from '../../../protocol/error-codes.ts'
import * as header from '../../../protocol/records/batch-header.ts'
import { NEVER } from '../log-config.ts'
import { fastScan, NEEDS_INSPECTION, type RecordLimits } from './fast-scan.ts'
import { inspect } from './inspect.ts'
import { repaired, withSection } from './rewrite.ts'
import type { BatchRules, Stamp, Verdict } from './rules.ts'

/**
 * The maximum size of a batch after decompression. Larger batches are rejected. Millrace's consumer
 * has the same limit.
 */
export const MAX_DECOMPRESSED = 128 << 20

type Rejected = Extract<Verdict, { kind: 'rejected' }>

/**
 * The maximum number of records in a batch that is checked in the event loop.
 * `MAX_INLINE_INSPECTED` applies instead if the fast scan cannot confirm that the records are
 * valid.
 */
const MAX_INLINE_RECORDS = 16_384
const MAX_INLINE_INSPECTED = 1000

/**
 * Checks an uncompressed batch that the log stores without compression. Returns null if the batch
 * is compressed, if the log must compress it, or if the check may take long. A thread must then
 * check the batch.
 */
export function checkInline(batch: Buffer, rules: BatchRules): Verdict | null {
  const count = header.recordCount(batch, 0)
  if (count > MAX_INLINE_RECORDS || header.compressionOf(batch, 0) !== CompressionType.NONE) return null
  if (rules.codec !== null && rules.codec !== CompressionType.NONE) return null
  const latest = scan(batch, batch, header.HEADER_SIZE, rules, false)
  if (latest !== NEEDS_INSPECTION) return accepted(batch, rules, latest)
  return count <= MAX_INLINE_INSPECTED ? checkRecords(batch, rules) : null
}

/**
 * Checks the records of a batch, and decides what the log stores. `check-header.ts` must have
 * checked the header before. Never throws, and does not change the batch.
 */
export function checkRecords(batch: Buffer, rules: BatchRules): Verdict {
  const codec = header.compressionOf(batch, 0)
  const target = rules.codec ?? codec
  const section = batch.subarray(header.HEADER_SIZE)
  let plain: Buffer
  try {
    plain = codec === CompressionType.NONE ? section : decompress(codec, section, MAX_DECOMPRESSED)
  } catch (error) {
    return invalid(`The records of ${rules.partition} cannot be decompressed: ${messageOf(error)}`)
  }
  const isRewritten = codec !== target
  const problem = isRewritten ? rewriteProblem(batch, rules) : null
  if (problem !== null) return problem
  const latest = scan(batch, plain, 0, rules, isRewritten)
  if (latest === NEEDS_INSPECTION) return checkExactly(batch, plain, target, rules)
  if (!isRewritten) return accepted(batch, rules, latest)
  return rewritten(batch, plain, target, stampOf(rules, latest), rules)
}

function scan(batch: Buffer, records: Buffer, start: number, rules: BatchRules, isRewritten: boolean): number {
  // A batch whose header says LogAppendTime needs a closer check, because a producer must not set
  // this type.
  if (header.timestampTypeOf(batch, 0) !== 0) return NEEDS_INSPECTION
  return fastScan(records, start, records.length, limitsOf(batch, rules, isRewritten))
}

function accepted(batch: Buffer, rules: BatchRules, latest: number): Verdict {
  if (!rules.isAppendTime && header.maxTimestamp(batch, 0) === latest) return UNCHANGED
  return { kind: 'accepted', stamp: stampOf(rules, latest) }
}

const UNCHANGED: Verdict = { kind: 'accepted', stamp: null }

function checkExactly(batch: Buffer, plain: Buffer, target: CompressionType, rules: BatchRules): Verdict {
  const codec = header.compressionOf(batch, 0)
  const isRewritten = codec !== target
  const ignoresLengths = codec !== CompressionType.NONE && !isRewritten
  const found = inspect(batch, { plain, rules, ignoresLengths })
  if (found.kind === 'rejected') return found
  if (isRewritten && found.minTimestamp < -1n) {
    const time = found.minTimestamp
    const detail = `A record batch with the timestamp ${time} cannot be recompressed for ${rules.partition}.`
    return { kind: 'rejected', code: ErrorCode.INVALID_TIMESTAMP, detail, recordErrors: [] }
  }
  if (ignoresLengths && found.hasWrongOffsets)
    return invalid(`The compressed records of ${rules.partition} have offsets that do not count up from 0.`)
  const stamp = stampOf(rules, found.maxTimestamp)
  if (isRewritten || found.hasWrongOffsets || found.hasWrongLengths) {
    const records = repaired(plain, header.recordCount(batch, 0))
    return rewritten(batch, records, target, stamp, rules)
  }
  const isRight =
    header.timestampTypeOf(batch, 0) === stamp.type && batch.readBigInt64BE(header.MAX_TIMESTAMP) === stamp.timestamp
  return isRight ? UNCHANGED : { kind: 'accepted', stamp }
}

/**
 * Recompresses the records of a batch. Rejects the batch if it becomes too large. The thread checks
 * the size, because a message can contain many small batches, and all results of a message are in
 * memory at the same time.
 */
function rewritten(batch: Buffer, records: Buffer, codec: CompressionType, stamp: Stamp, rules: BatchRules): Verdict {
  const section = compress(codec, records)
  const size = header.HEADER_SIZE + section.length
  if (size <= rules.maxBytes) return { kind: 'rewritten', bytes: withSection(batch, section, codec, stamp) }
  const detail = `The record batch for ${rules.partition} has ${size} bytes after recompression, but at most ${rules.maxBytes} are accepted.`
  return { kind: 'rejected', code: ErrorCode.MESSAGE_TOO_LARGE, detail, recordErrors: [] }
}

function limitsOf(batch: Buffer, rules: BatchRules, isRewritten: boolean): RecordLimits {
  const { needsKeys, isAppendTime, now, beforeMaxMs, afterMaxMs } = rules
  const count = header.recordCount(batch, 0)
  const baseTimestamp = header.baseTimestamp(batch, 0)
  // As in Kafka, a batch with negative timestamps other than -1 cannot be recompressed.
  const minimum = isRewritten ? -1 : Number.NEGATIVE_INFINITY
  if (isAppendTime) return { count, baseTimestamp, needsKeys, earliest: minimum, latest: Number.POSITIVE_INFINITY }
  return {
    count,
    baseTimestamp,
    needsKeys,
    earliest: beforeMaxMs >= NEVER ? minimum : Math.max(minimum, now - beforeMaxMs),
    latest: afterMaxMs >= NEVER ? Number.POSITIVE_INFINITY : now + afterMaxMs,
  }
}

function stampOf(rules: BatchRules, latest: number | bigint): Stamp {
  return rules.isAppendTime ? { type: 1, timestamp: BigInt(rules.now) } : { type: 0, timestamp: BigInt(latest) }
}

/**
 * Returns an error if Kafka could not recompress a batch with these header fields, and null
 * otherwise.
 */
function rewriteProblem(batch: Buffer, rules: BatchRules): Rejected | null {
  const producerId = batch.readBigInt64BE(header.PRODUCER_ID)
  const cannot = (what: string) => invalid(`A record batch ${what} cannot be recompressed for ${rules.partition}.`)
  if (producerId === -1n)
    return header.isTransactional(batch, 0) ? cannot('of a transaction without producer id') : null
  if (header.producerEpoch(batch, 0) === -1) return cannot('with a producer id and epoch -1')
  return header.baseSequence(batch, 0) < 0 ? cannot('with a producer id and no sequence number') : null
}

function invalid(detail: string): Rejected {
  return { kind: 'rejected', code: ErrorCode.INVALID_RECORD, detail, recordErrors: [] }
}
