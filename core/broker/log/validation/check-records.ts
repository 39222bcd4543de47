import { messageOf } from '../../../common/errors/error-table.ts'
import { CompressionType, decompress } from '../../../protocol/compression/index.ts'
import { ErrorCode } from '../../../protocol/error-codes.ts'
import * as header from '../../../protocol/records/batch-header.ts'
import { NEVER } from '../log-config.ts'
import { fastScan, LOOK_CLOSER } from './fast-scan.ts'
import { inspect } from './inspect.ts'
import { repaired, withRecords } from './rewrite.ts'
import type { BatchRules, Stamp, Verdict } from './rules.ts'

/** A batch that grows beyond this is rejected: it is also the most that our own consumer reads. */
export const MAX_DECOMPRESSED = 128 << 20

type Rejected = Extract<Verdict, { kind: 'rejected' }>

/**
 * Checks the records of a batch whose header was checked already (`check-header.ts`), and makes what the log shall hold of
 * it. Never throws, and changes nothing.
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
  if (isRewritten) {
    const problem = rewriteProblem(batch, rules)
    if (problem !== null) return problem
  }
  const type = header.timestampTypeOf(batch, 0)
  const count = header.recordCount(batch, 0)
  if (type === 0) {
    const latest = fastScan(plain, 0, plain.length, count, header.baseTimestamp(batch, 0), limitsOf(rules, isRewritten))
    if (latest !== LOOK_CLOSER) {
      if (isRewritten) return { kind: 'rewritten', bytes: withRecords(batch, plain, target, stampOf(rules, latest)) }
      const isRight = !rules.isAppendTime && header.maxTimestamp(batch, 0) === latest
      return { kind: 'accepted', stamp: isRight ? null : stampOf(rules, latest) }
    }
  }
  const ignoresLengths = codec !== CompressionType.NONE && !isRewritten
  const found = inspect(batch, { plain, rules, ignoresLengths })
  if (found.kind === 'rejected') return found
  if (isRewritten && found.minTimestamp < -1n) {
    const detail = `Record batches with the timestamp ${found.minTimestamp} cannot be compressed again for ${rules.partition}.`
    return { kind: 'rejected', code: ErrorCode.INVALID_TIMESTAMP, detail, recordErrors: [] }
  }
  if (ignoresLengths && found.hasWrongOffsets)
    return invalid(`The compressed records of ${rules.partition} have offsets that do not count up from 0.`)
  const stamp = stampOf(rules, found.maxTimestamp)
  if (isRewritten || found.hasWrongOffsets || found.hasWrongLengths) {
    return { kind: 'rewritten', bytes: withRecords(batch, repaired(plain, count), target, stamp) }
  }
  const isRight = type === stamp.type && batch.readBigInt64BE(header.MAX_TIMESTAMP) === stamp.timestamp
  return { kind: 'accepted', stamp: isRight ? null : stamp }
}

function limitsOf({ needsKeys, isAppendTime, now, beforeMaxMs, afterMaxMs }: BatchRules, isRewritten: boolean) {
  // Kafka's builder takes no times before 1970, but for -1
  const least = isRewritten ? -1 : Number.NEGATIVE_INFINITY
  if (isAppendTime) return { needsKeys, earliest: least, latest: Number.POSITIVE_INFINITY }
  return {
    needsKeys,
    earliest: beforeMaxMs >= NEVER ? least : Math.max(least, now - beforeMaxMs),
    latest: afterMaxMs >= NEVER ? Number.POSITIVE_INFINITY : now + afterMaxMs,
  }
}

function stampOf(rules: BatchRules, latest: number | bigint): Stamp {
  return rules.isAppendTime ? { type: 1, timestamp: BigInt(rules.now) } : { type: 0, timestamp: BigInt(latest) }
}

/** What Kafka's builder, which makes the new batch, does not take. */
function rewriteProblem(batch: Buffer, rules: BatchRules): Rejected | null {
  const producerId = batch.readBigInt64BE(header.PRODUCER_ID)
  const cannot = (what: string) => invalid(`A record batch ${what} cannot be compressed again for ${rules.partition}.`)
  if (producerId === -1n)
    return header.isTransactional(batch, 0) ? cannot('of a transaction without producer id') : null
  if (header.producerEpoch(batch, 0) === -1) return cannot('with a producer id and epoch -1')
  return header.baseSequence(batch, 0) < 0 ? cannot('with a producer id and no sequence number') : null
}

function invalid(detail: string): Rejected {
  return { kind: 'rejected', code: ErrorCode.INVALID_RECORD, detail, recordErrors: [] }
}
