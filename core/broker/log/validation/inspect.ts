import { messageOf } from '../../../common/errors/error-table.ts'
import { ErrorCode } from '../../../protocol/error-codes.ts'
import * as header from '../../../protocol/records/batch-header.ts'
import { readVarint, readVarlong, readVarlongExactly } from '../../../protocol/records/varint.ts'
import { NEVER } from '../log-config.ts'
import type { BatchRules, RecordError, Verdict } from './rules.ts'

/**
 * The maximum number of invalid records that an error lists. Further invalid records are only
 * counted, so that the response is not much larger than the request.
 */
const MAX_LISTED = 10_000
const NO_TIMESTAMP = -1n
const MAX64 = 2n ** 63n - 1n

export interface InspectOptions {
  /** The decompressed records of the batch. */
  readonly plain: Buffer
  readonly rules: BatchRules
  /**
   * Whether to ignore the length field of each record. Kafka ignores these fields in a compressed
   * batch that it does not recompress.
   */
  readonly ignoresLengths: boolean
}

export interface Inspected {
  readonly kind: 'inspected'
  readonly maxTimestamp: bigint
  readonly minTimestamp: bigint
  /** Whether the offset deltas are not 0, 1, 2 and so on. */
  readonly hasWrongOffsets: boolean
  /** Whether the length of a record differs from the length of its fields. */
  readonly hasWrongLengths: boolean
}

type Rejected = Extract<Verdict, { kind: 'rejected' }>

/**
 * The error for records that cannot be parsed. The whole batch is then rejected without a list of
 * invalid records.
 */
class Malformed extends Error {}

/**
 * Reads every record as Kafka's LogValidator does, with int64 arithmetic that wraps around as in
 * Java. `inspect` is slower than `fastScan`, and decides on batches that `fastScan` cannot accept.
 */
export function inspect(batch: Buffer, o: InspectOptions): Inspected | Rejected {
  try {
    return new Inspection(batch, o).run()
  } catch (error) {
    const detail = `The records of ${o.rules.partition} cannot be read: ${messageOf(error)}.`
    return { kind: 'rejected', code: ErrorCode.INVALID_RECORD, detail, recordErrors: [] }
  }
}

class Inspection {
  readonly #batch: Buffer
  readonly #plain: Buffer
  readonly #rules: BatchRules
  readonly #ignoresLengths: boolean
  readonly #now: bigint
  readonly #before: bigint
  readonly #after: bigint
  readonly #errors: RecordError[] = []
  #faulty = 0
  #hasBadTimestamp = false

  constructor(batch: Buffer, o: InspectOptions) {
    this.#batch = batch
    this.#plain = o.plain
    this.#rules = o.rules
    this.#ignoresLengths = o.ignoresLengths
    this.#now = BigInt(o.rules.now)
    this.#before = limit(o.rules.beforeMaxMs)
    this.#after = limit(o.rules.afterMaxMs)
  }

  run(): Inspected | Rejected {
    const batch = this.#batch
    const plain = this.#plain
    const end = plain.length
    const count = header.recordCount(batch, 0)
    const base = batch.readBigInt64BE(header.BASE_TIMESTAMP)
    const saysAppendTime = header.timestampTypeOf(batch, 0) === 1
    const headerTime = batch.readBigInt64BE(header.MAX_TIMESTAMP)
    const cursor = { pos: 0 }
    let maxTimestamp = NO_TIMESTAMP
    let minTimestamp = MAX64
    let hasWrongOffsets = false
    let hasWrongLengths = false
    for (let i = 0; i < count; i++) {
      const length = readVarint(plain, cursor, end)
      const start = cursor.pos
      if (!this.#ignoresLengths && length > end - start)
        throw new Malformed(`record ${i} has ${length} bytes, but only ${end - start} remain`)
      if (start >= end) throw new Malformed(`record ${i} has no fields`)
      cursor.pos = start + 1 // attributes
      const delta = readDelta(plain, cursor)
      const offset = readVarint(plain, cursor, end)
      const keyLength = skipBytes(plain, cursor, i)
      const valueLength = skipBytes(plain, cursor, i)
      skipHeaders(plain, cursor, i)
      if (cursor.pos - start !== length) {
        if (!this.#ignoresLengths)
          throw new Malformed(`record ${i} has ${length} bytes, but its fields take ${cursor.pos - start}`)
        hasWrongLengths = true
      }
      if (offset !== i) hasWrongOffsets = true
      const created = BigInt.asIntN(64, base + delta)
      if (created > maxTimestamp) maxTimestamp = created
      if (created < minTimestamp) minTimestamp = created
      const timestamp = saysAppendTime ? headerTime : created
      const problem =
        this.#keyProblem(keyLength) ?? this.#timestampProblem(timestamp, offset, saysAppendTime, keyLength, valueLength)
      if (problem !== null) this.#add(i, problem)
    }
    if (cursor.pos !== end) throw new Malformed(`${end - cursor.pos} bytes follow the last of ${count} records`)
    if (this.#faulty > 0) return this.#rejected()
    return { kind: 'inspected', maxTimestamp, minTimestamp, hasWrongOffsets, hasWrongLengths }
  }

  #keyProblem(keyLength: number): string | null {
    if (keyLength >= 0 || !this.#rules.needsKeys) return null
    return `Compacted topic cannot accept message without key in topic partition ${this.#rules.partition}`
  }

  #timestampProblem(time: bigint, offset: number, saysAppendTime: boolean, key: number, value: number): string | null {
    if (!this.#rules.isAppendTime && time !== NO_TIMESTAMP) {
      const age = BigInt.asIntN(64, this.#now - time)
      if (age <= this.#before && BigInt.asIntN(64, -age) <= this.#after) return null
      this.#hasBadTimestamp = true
      const earliest = BigInt.asIntN(64, this.#now - this.#before)
      const latest = BigInt.asIntN(64, this.#now + this.#after)
      return (
        `Timestamp ${time} of message with offset ${offset} is out of range. ` +
        `The timestamp should be within [${earliest}, ${latest}]`
      )
    }
    if (!saysAppendTime) return null
    this.#hasBadTimestamp = true
    const record = this.#ignoresLengths
      ? `PartialDefaultRecord(offset=${offset}, timestamp=${time}, key=${key} bytes, value=${value} bytes)`
      : `DefaultRecord(offset=${offset}, timestamp=${time}, key=${Math.max(0, key)} bytes, value=${Math.max(0, value)} bytes)`
    return `Invalid timestamp type in message ${record}. ` + 'Producer should not set timestamp type to LogAppendTime.'
  }

  #add(index: number, message: string): void {
    this.#faulty++
    if (this.#errors.length < MAX_LISTED) this.#errors.push({ index, message })
  }

  /**
   * Returns the verdict for a batch with invalid records. The messages are Kafka's, because clients
   * show them to users.
   */
  #rejected(): Rejected {
    const recordErrors = this.#errors
    if (this.#hasBadTimestamp) {
      const detail = 'One or more records have been rejected due to invalid timestamp'
      return { kind: 'rejected', code: ErrorCode.INVALID_TIMESTAMP, detail, recordErrors }
    }
    const first = recordErrors.slice(0, 3).map(e => `RecordError(batchIndex=${e.index}, message='${e.message}')`)
    const detail =
      `One or more records have been rejected due to ${this.#faulty} record errors in total, ` +
      `and only showing the first three errors at most: [${first.join(', ')}]`
    return { kind: 'rejected', code: ErrorCode.INVALID_RECORD, detail, recordErrors }
  }
}

/**
 * Reads a timestamp delta. Reads large values as a bigint, which is slower, because a number cannot
 * represent them exactly.
 */
function readDelta(plain: Buffer, cursor: { pos: number }): bigint {
  const at = cursor.pos
  const delta = readVarlong(plain, cursor, plain.length)
  return Number.isSafeInteger(delta) ? BigInt(delta) : readVarlongExactly(plain, { pos: at }, plain.length)
}

function limit(ms: number): bigint {
  return ms >= NEVER ? MAX64 : BigInt(ms)
}

/**
 * Skips a length field and the bytes that follow it. Returns the length, which is negative for
 * null.
 */
function skipBytes(plain: Buffer, cursor: { pos: number }, record: number): number {
  const length = readVarint(plain, cursor, plain.length)
  if (length > plain.length - cursor.pos)
    throw new Malformed(`record ${record} has a field of ${length} bytes, but only ${plain.length - cursor.pos} remain`)
  if (length > 0) cursor.pos += length
  return length
}

function skipHeaders(plain: Buffer, cursor: { pos: number }, record: number): void {
  const count = readVarint(plain, cursor, plain.length)
  if (count < 0 || count > plain.length - cursor.pos)
    throw new Malformed(`record ${record} has ${count} headers in ${plain.length - cursor.pos} bytes`)
  for (let i = 0; i < count; i++) {
    if (skipBytes(plain, cursor, record) < 0) throw new Malformed(`record ${record} has a header without a key`)
    skipBytes(plain, cursor, record)
  }
}
