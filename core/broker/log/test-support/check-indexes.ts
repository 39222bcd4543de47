import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readInt64 } from '../io/int64.ts'
import { type BatchMeta, batchProblem, readBatchMeta } from '../segment/batch-meta.ts'
import { INDEX, LOG, offsetFileName, parseLogFileName, TIME_INDEX } from '../segment/log-files.ts'

/**
 * Returns the errors in the segments and indexes of a closed log. Batches must be valid and in
 * order. Each entry of the offset index must match the last offset and position of a batch. The
 * entries of the time index must increase, must match a batch, and must include the highest
 * timestamp of the segment.
 */
export function indexProblems(dir: string): string[] {
  const problems: string[] = []
  for (const name of readdirSync(dir).sort()) {
    const file = parseLogFileName(name)
    if (file === null || file.type !== LOG || file.state !== '') continue
    const bytes = readFileSync(join(dir, name))
    if (bytes.length === 0) continue
    const batches = batchesOf(bytes, name, problems)
    const read = (suffix: string) => readFileSync(join(dir, offsetFileName(file.offset, suffix)))
    checkOffsetIndex(read(INDEX), file.offset, batches, `${name}'s index`, problems)
    checkTimeIndex(read(TIME_INDEX), file.offset, batches, `${name}'s time index`, problems)
  }
  return problems
}

function batchesOf(bytes: Buffer, name: string, problems: string[]): BatchMeta[] {
  const batches: BatchMeta[] = []
  for (let at = 0; at < bytes.length; ) {
    const problem = batchProblem(bytes, at, bytes.length)
    if (problem !== null) {
      problems.push(`${name} at ${at}: ${problem}`)
      break
    }
    const meta = readBatchMeta(bytes, at)
    if (meta.baseOffset <= (batches.at(-1)?.lastOffset ?? -1)) problems.push(`${name} at ${at}: offsets go back`)
    batches.push(meta)
    at += meta.size
  }
  return batches
}

function checkOffsetIndex(index: Buffer, base: number, batches: BatchMeta[], what: string, problems: string[]): void {
  for (let at = 0; at < index.length; at += 8) {
    const offset = base + index.readInt32BE(at)
    const position = index.readInt32BE(at + 4)
    if (!batches.some(b => b.at === position && b.lastOffset === offset)) {
      problems.push(`${what}: entry ${at / 8} (${offset}, ${position}) matches no batch`)
    }
  }
}

function checkTimeIndex(index: Buffer, base: number, batches: BatchMeta[], what: string, problems: string[]): void {
  let last = -1
  for (let at = 0; at < index.length; at += 12) {
    const timestamp = readInt64(index, at)
    const offset = base + index.readInt32BE(at + 8)
    if (timestamp <= last) problems.push(`${what}: entry ${at / 12} does not increase`)
    last = timestamp
    if (!batches.some(b => b.lastOffset === offset && b.maxTimestamp === timestamp)) {
      problems.push(`${what}: entry ${at / 12} (${timestamp}, ${offset}) matches no batch`)
    }
  }
  const latest = batches.reduce((max, b) => Math.max(max, b.maxTimestamp), -1)
  if (last !== latest) problems.push(`${what}: ends at ${last}, the segment at ${latest}`)
}
