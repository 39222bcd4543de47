import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import * as header from '../../../protocol/records/batch-header.ts'
import { logErrors } from '../errors.ts'
import { type BatchMeta, batchProblem, readBatchMeta } from './batch-meta.ts'

const CHUNK = 4 << 20
/** The maximum offset relative to the segment's base offset. Index entries store it as int32. */
const MAX_RELATIVE = 0x7fffffff

export interface ScanOptions {
  /** The path of the file, for error messages. */
  readonly path: string
  /** The position of the first batch to read. */
  readonly from: number
  /** The size of the file. */
  readonly size: number
  readonly checkCrc: boolean
  /** The base offset of the segment. */
  readonly baseOffset: number
  /** The base offset of the next segment. Undefined for the last segment. */
  readonly endOffset?: number
}

export interface ScanResult {
  /** The position in the file at which the valid batches end. */
  readonly validBytes: number
  /**
   * Why the next batch is invalid. Null if the scan reached the end of the file, or if the callback
   * stopped the scan.
   */
  readonly problem: string | null
}

/**
 * Called for each valid batch with the batch's position in the file. Returns false to stop the
 * scan.
 */
export type OnBatch = (meta: BatchMeta, position: number) => boolean | void

/**
 * Reads the batches of a segment file from a position on. Checks their CRCs if `checkCrc` is true.
 * Stops at the first batch that is truncated, malformed or out of order. Throws MR_LOG_OLD_FORMAT
 * if a batch has an older format, so that recovery does not truncate the log there.
 */
export async function scanBatches(
  file: FileHandle,
  { path, from, size, ...o }: ScanOptions,
  onBatch: OnBatch,
): Promise<ScanResult> {
  let buf = Buffer.allocUnsafeSlow(Math.max(header.HEADER_SIZE, Math.min(CHUNK, size - from)))
  const order = new OffsetOrder(o.baseOffset, o.endOffset ?? Number.POSITIVE_INFINITY, onBatch)
  let position = from
  while (position < size) {
    const got = await readAt(file, buf, position, Math.min(buf.length, size - position))
    if (got === 0) return order.stop(position, 'the file has become shorter')
    let at = 0
    let needed = 0
    while (at < got) {
      const frame = nextFrame(buf, at, got, size - position)
      if (typeof frame === 'string') {
        if (isOldFormat(buf, at, got)) {
          throw logErrors.create('MR_LOG_OLD_FORMAT', {
            file: path,
            magic: header.magic(buf, at),
            position: position + at,
          })
        }
        return order.stop(position + at, frame)
      }
      needed = frame
      if (at + needed > got) break
      const problem = o.checkCrc ? batchProblem(buf, at, got) : null
      if (problem !== null) return order.stop(position + at, problem)
      const result = order.next(readBatchMeta(buf, at), position + at)
      if (result !== null) return result
      at += needed
    }
    position += at
    if (needed > buf.length) buf = Buffer.allocUnsafeSlow(needed)
  }
  return order.stop(position, null)
}

/**
 * Returns the number of bytes to read for the next batch: the size of the batch, or of a header if
 * the header has not been read yet. Returns an error message if there is no valid batch.
 */
function nextFrame(buf: Buffer, at: number, got: number, fileRest: number): number | string {
  const rest = fileRest - at
  if (rest < header.HEADER_SIZE) return `${rest} bytes are less than a batch header`
  if (got - at < header.HEADER_SIZE) return header.HEADER_SIZE
  const size = header.batchSize(buf, at)
  if (header.magic(buf, at) !== header.MAGIC_V2 || size < header.HEADER_SIZE) return 'there is no batch of format v2'
  return size > rest ? `a batch of ${size} bytes is truncated after ${rest}` : size
}

/**
 * Returns whether the bytes are a message in a format from before Kafka 0.11: its magic byte is 0
 * or 1, and its CRC-32, which covers the bytes from the magic byte on, matches.
 */
function isOldFormat(buf: Buffer, at: number, got: number): boolean {
  if (got - at < header.HEADER_SIZE) return false
  const magic = header.magic(buf, at)
  const end = at + header.batchSize(buf, at)
  if ((magic !== 0 && magic !== 1) || end <= at + header.MAGIC || end > got) return false
  return buf.readUInt32BE(at + header.LOG_OVERHEAD) === crc32(buf.subarray(at + header.MAGIC, end))
}

/**
 * Passes batches with increasing offsets to the callback, and stops the scan at invalid offsets.
 * Each batch is held until the next batch is known. If the next batch has a lower offset, the
 * offset of the held batch may be the invalid one, because the checksum does not cover offsets.
 */
class OffsetOrder {
  readonly #base: number
  /** The base offset of the next segment. */
  readonly #end: number
  readonly #onBatch: OnBatch
  #held: BatchMeta | null = null
  #heldAt = 0
  /**
   * The end offset of the batch that precedes the held batch. The base offset of the held batch is
   * at least this offset.
   */
  #minOffset: number
  #next: number

  constructor(baseOffset: number, endOffset: number, onBatch: OnBatch) {
    this.#base = baseOffset
    this.#end = endOffset
    this.#onBatch = onBatch
    this.#minOffset = baseOffset
    this.#next = baseOffset
  }

  /**
   * Takes the next batch of the file. Returns null to continue the scan, and otherwise the result
   * of the scan.
   */
  next(meta: BatchMeta, position: number): ScanResult | null {
    if (
      meta.lastOffset < meta.baseOffset ||
      meta.lastOffset - this.#base > MAX_RELATIVE ||
      meta.lastOffset >= this.#end ||
      meta.baseOffset < this.#base
    ) {
      return this.stop(position, `offsets ${meta.baseOffset}..${meta.lastOffset} are outside this segment`)
    }
    if (meta.baseOffset < this.#next) {
      const held = this.#held
      const problem = `offset ${meta.baseOffset} comes after ${this.#next - 1}`
      if (held === null || meta.baseOffset < this.#minOffset + held.lastOffset - held.baseOffset + 1) {
        return this.stop(position, problem)
      }
      this.#held = null
      return { validBytes: this.#heldAt, problem }
    }
    if (!this.#passOn()) return { validBytes: position, problem: null }
    this.#minOffset = this.#next
    this.#held = meta
    this.#heldAt = position
    this.#next = meta.lastOffset + 1
    return null
  }

  stop(validBytes: number, problem: string | null): ScanResult {
    this.#passOn()
    return { validBytes, problem }
  }

  #passOn(): boolean {
    const held = this.#held
    this.#held = null
    return held === null || this.#onBatch(held, this.#heldAt) !== false
  }
}

async function readAt(file: FileHandle, buf: Buffer, position: number, length: number): Promise<number> {
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(buf, done, length - done, position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}
