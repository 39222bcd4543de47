import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import * as header from '../../../protocol/records/batch-header.ts'
import { logErrors } from '../errors.ts'
import { type BatchMeta, batchProblem, readBatchMeta } from './batch-meta.ts'

const CHUNK = 4 << 20
/** Offsets are int32 relative to their segment's base. */
const MAX_RELATIVE = 0x7fffffff

export interface ScanResult {
  /** Bytes of whole, valid batches from the start of the file. */
  readonly validBytes: number
  /** Why the scan stopped before the file's end; null when it did not, or the callback stopped it. */
  readonly problem: string | null
}

/** Gets each good batch in turn, with its position in the file; ends the scan by returning false. */
export type OnBatch = (meta: BatchMeta, position: number) => boolean | void

/**
 * Reads a segment file batch by batch from a position, with CRC checks if asked, and stops at the first batch that is cut,
 * malformed or out of order. Throws MR_LOG_OLD_FORMAT rather than taking an old format for garbage.
 */
export async function scanBatches(
  file: FileHandle,
  path: string,
  from: number,
  size: number,
  o: { readonly checkCrc: boolean; readonly baseOffset: number; readonly endOffset?: number },
  onBatch: OnBatch,
): Promise<ScanResult> {
  let buf = Buffer.allocUnsafeSlow(Math.max(header.HEADER_SIZE, Math.min(CHUNK, size - from)))
  const order = new OffsetOrder(o.baseOffset, o.endOffset ?? Number.POSITIVE_INFINITY, onBatch)
  let position = from
  while (position < size) {
    const got = await readAt(file, buf, position, Math.min(buf.length, size - position))
    if (got === 0) return order.stop(position, 'the file is shorter than it was')
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

/** How many bytes the next batch needs (of its header alone, as long as that is not read); or why there is none. */
function nextFrame(buf: Buffer, at: number, got: number, fileRest: number): number | string {
  const rest = fileRest - at
  if (rest < header.HEADER_SIZE) return `${rest} bytes are less than a batch header`
  if (got - at < header.HEADER_SIZE) return header.HEADER_SIZE
  const size = header.batchSize(buf, at)
  if (header.magic(buf, at) !== header.MAGIC_V2 || size < header.HEADER_SIZE) return 'no batch v2 here'
  return size > rest ? `a batch of ${size} bytes is cut after ${rest}` : size
}

/** A message of before Kafka 0.11 says so in its magic, and proves it by its own checksum (CRC-32 from the magic on). */
function isOldFormat(buf: Buffer, at: number, got: number): boolean {
  if (got - at < header.HEADER_SIZE) return false
  const magic = header.magic(buf, at)
  const end = at + header.batchSize(buf, at)
  if ((magic !== 0 && magic !== 1) || end <= at + header.MAGIC || end > got) return false
  return buf.readUInt32BE(at + header.LOG_OVERHEAD) === crc32(buf.subarray(at + header.MAGIC, end))
}

/**
 * Lets batches pass whose offsets rise, one behind: a batch's offset is not under its checksum, so when the next one goes
 * back, it may be the one before that lies.
 */
class OffsetOrder {
  readonly #base: number
  /** Where the next segment begins. */
  readonly #end: number
  readonly #onBatch: OnBatch
  #held: BatchMeta | null = null
  #heldAt = 0
  /** The least offset that the held batch, and the one after it, may begin with. */
  #least: number
  #next: number

  constructor(baseOffset: number, endOffset: number, onBatch: OnBatch) {
    this.#base = baseOffset
    this.#end = endOffset
    this.#onBatch = onBatch
    this.#least = baseOffset
    this.#next = baseOffset
  }

  /** Takes a batch; a result ends the scan. */
  next(meta: BatchMeta, position: number): ScanResult | null {
    if (
      meta.lastOffset < meta.baseOffset ||
      meta.lastOffset - this.#base > MAX_RELATIVE ||
      meta.lastOffset >= this.#end ||
      meta.baseOffset < this.#base
    ) {
      return this.stop(position, `offsets ${meta.baseOffset}..${meta.lastOffset} are not of this segment`)
    }
    if (meta.baseOffset < this.#next) {
      const held = this.#held
      const problem = `offset ${meta.baseOffset} comes after ${this.#next - 1}`
      if (held === null || meta.baseOffset < this.#least + held.lastOffset - held.baseOffset + 1) {
        return this.stop(position, problem)
      }
      this.#held = null
      return { validBytes: this.#heldAt, problem }
    }
    if (!this.#pass()) return { validBytes: position, problem: null }
    this.#least = this.#next
    this.#held = meta
    this.#heldAt = position
    this.#next = meta.lastOffset + 1
    return null
  }

  stop(validBytes: number, problem: string | null): ScanResult {
    this.#pass()
    return { validBytes, problem }
  }

  #pass(): boolean {
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
