import { read } from 'node:fs'
import { ErrorCode, errorFor } from '../../../protocol/error-codes.ts'
import * as header from '../../../protocol/records/batch-header.ts'
import { isErrno } from '../io/files.ts'
import type { LogState } from '../log-state.ts'
import type { Segment } from '../segment/segment.ts'
import type { ReadOptions, ReadResult } from '../types.ts'
import type { Slab, TailChunk } from './tail-cache.ts'

/**
 * A result is copied into one buffer if it is smaller than this, or if its pieces are smaller than
 * `COPY_PIECES_BELOW` on average. A socket sends a few large buffers more efficiently than many
 * small ones.
 */
const COPY_BELOW = 4096
const COPY_PIECES_BELOW = 1024

/**
 * The maximum size of one read, which limits the memory that each reader uses. A larger batch is
 * returned alone.
 */
const MAX_READ = 32 << 20

/**
 * Returns whole batches, starting with the batch that contains `offset`. The result is synchronous
 * if the batches are in memory. Fails with OFFSET_OUT_OF_RANGE.
 */
export function readLog(
  log: LogState,
  offset: number,
  maxBytes: number,
  o: ReadOptions,
): ReadResult | Promise<ReadResult> {
  const refusal = log.refusal()
  if (refusal !== null) return Promise.reject(refusal)
  if (offset < log.logStartOffset || offset > log.logEndOffset) return Promise.reject(outOfRange(log, offset))
  const limit = limitOf(log, o)
  if (offset >= limit) return result(log, [], 0)
  const bytes = Math.min(maxBytes, MAX_READ)
  const { minOneBatch } = o
  return (
    readTail(log, offset, bytes, limit, minOneBatch) ?? readDisk(log, { offset, maxBytes: bytes, limit, minOneBatch })
  )
}

function limitOf(log: LogState, o: ReadOptions): number {
  if (o.upTo === 'highWatermark') return log.highWatermark
  return o.upTo === 'logEnd' ? log.logEndOffset : log.lastStableOffset
}

function readTail(
  log: LogState,
  offset: number,
  maxBytes: number,
  limit: number,
  minOneBatch: boolean,
): ReadResult | null {
  let n = log.tail.find(offset)
  if (n < 0) return null
  const pieces = new TailPieces()
  for (let chunk = log.tail.chunk(n); chunk !== undefined && chunk.baseOffset < limit; chunk = log.tail.chunk(++n)) {
    const skip = pieces.size === 0 ? batchesBefore(bytesOf(chunk), offset) : 0
    const length = chunk.length - skip
    if (chunk.lastOffset < limit && pieces.size + length <= maxBytes) {
      pieces.add(chunk, skip, length)
      continue
    }
    const bytes = bytesOf(chunk).subarray(skip)
    pieces.add(chunk, skip, wholeBatches(bytes, maxBytes - pieces.size, limit, minOneBatch && pieces.size === 0))
    break
  }
  return pieces.result(log)
}

function bytesOf({ slab, at, length }: TailChunk): Buffer {
  return slab.memory.subarray(at, at + length)
}

/**
 * Collects the pieces of the tail cache that a read returns. Adjacent pieces of the same slab are
 * merged.
 */
class TailPieces {
  readonly #pieces: { readonly slab: Slab; readonly from: number; to: number }[] = []
  size = 0

  add(chunk: TailChunk, skip: number, length: number): void {
    if (length === 0) return
    this.size += length
    const from = chunk.at + skip
    const last = this.#pieces.at(-1)
    if (last?.slab === chunk.slab && last.to === from) last.to += length
    else this.#pieces.push({ slab: chunk.slab, from, to: from + length })
  }

  result(log: LogState): ReadResult {
    const pieces = this.#pieces
    const chunks = pieces.map(p => p.slab.memory.subarray(p.from, p.to))
    if (this.size < COPY_BELOW || this.size / pieces.length < COPY_PIECES_BELOW)
      return result(log, chunks.length === 0 ? chunks : [Buffer.concat(chunks, this.size)], this.size)
    const { cache } = log.tail
    for (const { slab } of pieces) cache.retain(slab)
    return result(log, chunks, this.size, () => {
      for (const { slab } of pieces) cache.release(slab)
    })
  }
}

interface DiskRead {
  readonly offset: number
  readonly maxBytes: number
  /** Only batches that end before this offset are returned. */
  readonly limit: number
  readonly minOneBatch: boolean
}

async function readDisk(log: LogState, wanted: DiskRead): Promise<ReadResult> {
  const { offset } = wanted
  for (let i = Math.max(0, log.segmentIndex(offset)); i < log.segments.length; i++) {
    const segment = log.segments[i]!
    try {
      const bytes = await readSegment(log, segment, wanted)
      if (bytes === null) continue
      if (bytes.length === 0) return result(log, [], 0)
      return result(log, [bytes], bytes.length, () => log.env.pool.give(bytes))
    } catch (error) {
      const refusal = log.refusal()
      if (refusal !== null) throw refusal
      if (offset < log.logStartOffset) throw outOfRange(log, offset)
      // Try again, because retention or compaction removed the segment during the read.
      if (isErrno(error, 'ENOENT') && !log.segments.includes(segment)) {
        return readDisk(log, wanted)
      }
      throw errorFor(ErrorCode.KAFKA_STORAGE_ERROR, `Cannot read ${segment.log.path}.`, { cause: error })
    }
  }
  return result(log, [], 0)
}

/**
 * Returns the batches to send, in a buffer from the pool. Returns an empty buffer if the first of
 * these batches is too large, or does not end before the limit. Returns null if the segment
 * contains no record at or after the offset, for example after compaction.
 */
async function readSegment(log: LogState, segment: Segment, wanted: DiskRead): Promise<Buffer | null> {
  const { pool } = log.env
  const end = segment.size
  let position = segment.positionFor(wanted.offset)
  // Read more than `maxBytes`, because the index may point to a batch before the wanted one.
  let want = wanted.maxBytes + log.config.indexIntervalBytes + header.HEADER_SIZE
  while (position < end) {
    const length = Math.min(Math.max(want, header.HEADER_SIZE), end - position)
    const bytes = await readRange(log, segment, position, length, pool.take(length))
    if (bytes.length < header.HEADER_SIZE) throw new Error(`the file ends before position ${end}`)
    const { skip, take, need, isExact } = selectBatches(bytes, wanted)
    position += skip
    if (take > 0) {
      const chosen = bytes.subarray(skip, skip + take)
      segment.addHint(endOffset(chosen, take), position + take)
      return chosen
    }
    pool.give(bytes)
    if (need === 0 || (isExact && need > end - position)) return EMPTY
    want = need
  }
  return null
}

const EMPTY = Buffer.alloc(0)

/**
 * Decides which of the bytes that were read are returned. The bytes start with a batch. The first
 * `skip` bytes are batches before the offset. The next `take` bytes are the batches to return. If
 * `take` is 0, `need` is the size of the next read. If `isExact` is true, `need` is the size of the
 * next batch, or 0 if there is nothing to return.
 */
function selectBatches(bytes: Buffer, { offset, maxBytes, limit, minOneBatch }: DiskRead) {
  const nextRead = Math.max(maxBytes, 1)
  const skip = batchesBefore(bytes, offset)
  const left = bytes.length - skip
  if (left < header.HEADER_SIZE) return { skip, take: 0, need: nextRead, isExact: false }
  const first = header.batchSize(bytes, skip)
  // This batch was not read completely. It ends before the requested offset, so skip it.
  if (lastOffset(bytes, skip) < offset) return { skip: skip + first, take: 0, need: nextRead, isExact: false }
  if (header.baseOffset(bytes, skip) >= limit) return { skip, take: 0, need: 0, isExact: true }
  if (first > left) return { skip, take: 0, need: minOneBatch || first <= maxBytes ? first : 0, isExact: true }
  return { skip, take: wholeBatches(bytes.subarray(skip), maxBytes, limit, minOneBatch), need: 0, isExact: true }
}

/**
 * Reads exactly `length` bytes, or fewer at the end of the file. Keeps the file open during the
 * read.
 */
export function readRange(
  log: LogState,
  segment: Segment,
  position: number,
  length: number,
  bytes: Buffer = Buffer.allocUnsafeSlow(length),
): Promise<Buffer> {
  const { fds } = log.env
  return new Promise((resolve, reject) => {
    const fd = fds.pin(segment.log)
    let done = 0
    const next = () => {
      read(fd, bytes, done, length - done, position + done, (error, got) => {
        done += error ? 0 : got
        if (!error && got > 0 && done < length) {
          next()
          return
        }
        fds.unpin(segment.log)
        if (error) reject(error)
        else resolve(done === length ? bytes : bytes.subarray(0, done))
      })
    }
    next()
  })
}

/**
 * Returns the total size of the whole batches at the start of `bytes` that end before an offset.
 */
function batchesBefore(bytes: Buffer, offset: number): number {
  let at = 0
  while (at + header.HEADER_SIZE <= bytes.length) {
    const size = header.batchSize(bytes, at)
    if (lastOffset(bytes, at) >= offset || at + size > bytes.length) break
    at += size
  }
  return at
}

/**
 * Returns the total size of the whole batches at the start of `bytes` that fit into `maxBytes` and
 * end before the limit. With `minOneBatch`, the first batch may be larger than `maxBytes`.
 */
function wholeBatches(bytes: Buffer, maxBytes: number, limit: number, minOneBatch: boolean): number {
  let at = 0
  while (at + header.HEADER_SIZE <= bytes.length) {
    const end = at + header.batchSize(bytes, at)
    if (end > bytes.length || lastOffset(bytes, at) >= limit) break
    if (end > maxBytes && !(minOneBatch && at === 0)) break
    at = end
  }
  return at
}

function endOffset(bytes: Buffer, size: number): number {
  let at = 0
  for (let next = 0; next < size; next += header.batchSize(bytes, next)) at = next
  return lastOffset(bytes, at) + 1
}

function lastOffset(bytes: Buffer, at: number): number {
  return header.baseOffset(bytes, at) + header.lastOffsetDelta(bytes, at)
}

function outOfRange(log: LogState, offset: number): Error {
  const detail = `Offset ${offset} of ${log.name} is not within ${log.logStartOffset}..${log.logEndOffset}.`
  return errorFor(ErrorCode.OFFSET_OUT_OF_RANGE, detail)
}

function result(log: LogState, chunks: Buffer[], size: number, release: (() => void) | null = null): ReadResult {
  const { highWatermark, lastStableOffset, logStartOffset } = log
  return { chunks, size, highWatermark, lastStableOffset, logStartOffset, release }
}

/**
 * Estimates the number of bytes available from an offset on. If the offset is not in memory,
 * interpolates its position within the segment. A lower bound would make fetches with
 * `fetch.min.bytes` wait too long.
 */
export function bytesAvailable(log: LogState, offset: number, cap: number): number {
  if (offset >= log.highWatermark || offset < log.logStartOffset) return 0
  const inMemory = log.tail.bytesFrom(offset)
  if (inMemory >= 0) return Math.min(cap, inMemory)
  let bytes = 0
  const first = Math.max(0, log.segmentIndex(offset))
  for (let i = log.segments.length - 1; i >= first && bytes < cap; i--) {
    const { size, baseOffset } = log.segments[i]!
    const offsets = log.segmentEnd(i) - baseOffset
    const share = i > first || offsets <= 0 ? 1 : Math.min(1, (log.segmentEnd(i) - offset) / offsets)
    bytes += Math.ceil(size * share)
  }
  return Math.min(cap, Math.max(bytes, header.LOG_OVERHEAD))
}
