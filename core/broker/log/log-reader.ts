import { read } from 'node:fs'
import { ErrorCode, errorFor } from '../../protocol/error-codes.ts'
import * as header from '../../protocol/records/batch-header.ts'
import { isErrno } from './files.ts'
import type { LogState } from './log-state.ts'
import type { Segment } from './segment.ts'
import type { ReadOptions, ReadResult } from './types.ts'

/** So many small buffers are joined into one: a socket takes few large ones better. */
const JOIN_ABOVE = 64
const JOIN_BELOW_BYTES = 1024

/** No reader is given more at once, whatever it asks for: the memory is there only once. A larger batch is given alone. */
const MAX_READ = 32 << 20

/** Whole batches from the one that holds `offset`: at once from memory, else from disk. OFFSET_OUT_OF_RANGE. */
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
  return readTail(log, offset, bytes, limit, o.minOneBatch) ?? readDisk(log, offset, bytes, limit, o.minOneBatch)
}

function limitOf(log: LogState, o: ReadOptions): number {
  if (o.upTo === 'highWatermark') return log.highWatermark
  return o.upTo === 'logEnd' ? log.logEndOffset : log.lastStableOffset
}

function readTail(log: LogState, offset: number, maxBytes: number, limit: number, minOne: boolean): ReadResult | null {
  let n = log.tail.find(offset)
  if (n < 0) return null
  const chunks: Buffer[] = []
  let size = 0
  for (let chunk = log.tail.chunk(n); chunk !== undefined && chunk.baseOffset < limit; chunk = log.tail.chunk(++n)) {
    const skip = size === 0 ? batchesBefore(chunk.bytes, offset) : 0
    const bytes = skip === 0 ? chunk.bytes : chunk.bytes.subarray(skip)
    if (chunk.lastOffset < limit && size + bytes.length <= maxBytes) {
      chunks.push(bytes)
      size += bytes.length
      continue
    }
    const part = wholeBatches(bytes, maxBytes - size, limit, minOne && size === 0)
    if (part > 0) chunks.push(bytes.subarray(0, part))
    size += part
    break
  }
  const join = chunks.length > JOIN_ABOVE && size / chunks.length < JOIN_BELOW_BYTES
  return result(log, join ? [Buffer.concat(chunks, size)] : chunks, size)
}

async function readDisk(
  log: LogState,
  offset: number,
  maxBytes: number,
  limit: number,
  minOne: boolean,
): Promise<ReadResult> {
  for (let i = Math.max(0, log.segmentIndex(offset)); i < log.segments.length; i++) {
    const segment = log.segments[i]!
    try {
      const bytes = await readSegment(log, segment, offset, maxBytes, limit, minOne)
      if (bytes === null) continue
      return result(log, bytes.length === 0 ? [] : [bytes], bytes.length)
    } catch (error) {
      const refusal = log.refusal()
      if (refusal !== null) throw refusal
      if (offset < log.logStartOffset) throw outOfRange(log, offset)
      // the segment was replaced by a compacted one, or removed, while we read: look again
      if (isErrno(error, 'ENOENT') && !log.segments.includes(segment)) {
        return readDisk(log, offset, maxBytes, limit, minOne)
      }
      throw errorFor(ErrorCode.KAFKA_STORAGE_ERROR, `${segment.log.path} cannot be read.`, { cause: error })
    }
  }
  return result(log, [], 0)
}

/** Null when the segment holds nothing at or after the offset (compaction may have removed it). */
async function readSegment(
  log: LogState,
  segment: Segment,
  offset: number,
  maxBytes: number,
  limit: number,
  minOne: boolean,
): Promise<Buffer | null> {
  const end = segment.size
  let position = segment.positionFor(offset)
  let slack = log.config.indexIntervalBytes + header.HEADER_SIZE
  for (;;) {
    if (position >= end) return null
    const bytes = await readRange(
      log,
      segment,
      position,
      Math.min(Math.max(maxBytes, header.HEADER_SIZE) + slack, end - position),
    )
    slack = 0
    const skip = batchesBefore(bytes, offset)
    position += skip
    if (skip === bytes.length) continue
    const rest = bytes.subarray(skip)
    if (rest.length < header.HEADER_SIZE) continue
    const first = header.batchSize(rest, 0)
    if (lastOffset(rest, 0) < offset) {
      // a batch longer than what was read lies before the one we look for
      position += first
      continue
    }
    if (header.baseOffset(rest, 0) >= limit) return Buffer.alloc(0)
    if (first > rest.length) {
      if (!minOne || first > end - position) return Buffer.alloc(0)
      const whole = await readRange(log, segment, position, first)
      segment.hint(lastOffset(whole, 0) + 1, position + first)
      return lastOffset(whole, 0) < limit ? whole : Buffer.alloc(0)
    }
    const size = wholeBatches(rest, maxBytes, limit, minOne)
    if (size > 0) segment.hint(endOffset(rest, size), position + size)
    return rest.subarray(0, size)
  }
}

/** Reads exactly so many bytes, asynchronously, keeping the file open meanwhile. */
export function readRange(log: LogState, segment: Segment, position: number, length: number): Promise<Buffer> {
  const { fds } = log.env
  const bytes = Buffer.allocUnsafeSlow(length)
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

/** Bytes of whole batches at the front that end below an offset. */
function batchesBefore(bytes: Buffer, offset: number): number {
  let at = 0
  while (at + header.HEADER_SIZE <= bytes.length) {
    const size = header.batchSize(bytes, at)
    if (lastOffset(bytes, at) >= offset || at + size > bytes.length) break
    at += size
  }
  return at
}

/** Bytes of whole batches at the front that fit and lie below the limit; the first one need not fit if `minOne`. */
function wholeBatches(bytes: Buffer, room: number, limit: number, minOne: boolean): number {
  let at = 0
  while (at + header.HEADER_SIZE <= bytes.length) {
    const end = at + header.batchSize(bytes, at)
    if (end > bytes.length || lastOffset(bytes, at) >= limit) break
    if (end > room && !(minOne && at === 0)) break
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

function result(log: LogState, chunks: Buffer[], size: number): ReadResult {
  const { highWatermark, lastStableOffset, logStartOffset } = log
  return { chunks, size, highWatermark, lastStableOffset, logStartOffset }
}

/** A lower bound would keep a long poll waiting, so an offset that is not in memory is placed by proportion. */
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
