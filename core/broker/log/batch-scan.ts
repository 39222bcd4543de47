import type { FileHandle } from 'node:fs/promises'
import * as header from '../../protocol/records/batch-header.ts'
import { type BatchMeta, batchProblem, readBatchMeta } from './batch-meta.ts'
import { logErrors } from './errors.ts'

const CHUNK = 4 << 20

export interface ScanResult {
  /** Bytes of whole, valid batches from the start of the file. */
  readonly validBytes: number
  /** Why the scan stopped before the file's end; null when it did not. */
  readonly problem: string | null
}

/**
 * Reads a segment file batch by batch from a position, with CRC checks if asked, and stops at the first batch that is cut,
 * malformed or out of order. The callback gets each good batch and the buffer it is in (`meta.at`); its result `false`
 * ends the scan. Throws MR_LOG_OLD_FORMAT rather than taking an old format for garbage.
 */
export async function scanBatches(
  file: FileHandle,
  path: string,
  from: number,
  size: number,
  o: { checkCrc: boolean; minOffset: number },
  onBatch: (meta: BatchMeta, position: number, buf: Buffer) => boolean | void,
): Promise<ScanResult> {
  let buf = Buffer.allocUnsafeSlow(Math.max(header.HEADER_SIZE, Math.min(CHUNK, size - from)))
  let position = from
  let minOffset = o.minOffset
  while (position < size) {
    const got = await readAt(file, buf, position, Math.min(buf.length, size - position))
    let at = 0
    let needed = 0
    while (at < got) {
      const left = got - at
      const rest = size - position - at
      if (left < header.HEADER_SIZE) {
        needed = header.HEADER_SIZE
        if (rest < header.HEADER_SIZE) return stop(position + at, `${rest} bytes are less than a batch header`)
        break
      }
      const magic = header.magic(buf, at)
      const batchSize = header.batchSize(buf, at)
      if (
        (magic === 0 || magic === 1) &&
        batchSize > header.LOG_OVERHEAD &&
        batchSize <= rest &&
        header.baseOffset(buf, at) >= minOffset
      ) {
        throw logErrors.create('MR_LOG_OLD_FORMAT', { file: path, magic, position: position + at })
      }
      if (magic !== 2 || batchSize < header.HEADER_SIZE) return stop(position + at, 'no batch v2 here')
      if (batchSize > rest) return stop(position + at, `a batch of ${batchSize} bytes is cut after ${rest}`)
      if (batchSize > left) {
        needed = batchSize
        break
      }
      const problem = o.checkCrc ? batchProblem(buf, at, got) : null
      if (problem !== null) return stop(position + at, problem)
      const meta = readBatchMeta(buf, at)
      if (meta.baseOffset < minOffset || meta.lastOffset < meta.baseOffset) {
        return stop(position + at, `offsets ${meta.baseOffset}..${meta.lastOffset} come after ${minOffset - 1}`)
      }
      minOffset = meta.lastOffset + 1
      const position0 = position + at
      at += batchSize
      if (onBatch(meta, position0, buf) === false) return stop(position + at, null)
    }
    position += at
    // the buffer is used again for the next part: who wants to keep a batch copies it
    if (needed > buf.length) buf = Buffer.allocUnsafeSlow(needed)
  }
  return stop(position, null)
}

function stop(validBytes: number, problem: string | null): ScanResult {
  return { validBytes, problem }
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
