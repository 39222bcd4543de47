import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { logErrors } from '../errors.ts'
import { isErrno, replaceFile, replaceFileSync } from '../io/files.ts'

/** One offset for each partition. The keys are those of `partitionKey`. */
export type PartitionOffsets = Map<string, number>

/** Returns `<topic>-<partition>`, which is also the name of the partition's directory. */
export function partitionKey(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/**
 * Reads an offset checkpoint such as `recovery-point-offset-checkpoint`. The first line is the
 * version 0, the second is the number of entries, and each other line is `topic partition offset`.
 * Returns an empty map if the file does not exist. Throws MR_LOG_CHECKPOINT_MALFORMED.
 */
export function readOffsetCheckpoint(file: string): PartitionOffsets {
  const offsets: PartitionOffsets = new Map()
  for (const fields of readEntries(file, 3)) {
    offsets.set(partitionKey(fields[0]!, Number(fields[1])), toOffset(file, fields[2]!))
  }
  return offsets
}

/** Writes an offset checkpoint atomically, and syncs it. */
export async function writeOffsetCheckpoint(
  file: string,
  entries: Iterable<{ topic: string; partition: number; offset: number }>,
): Promise<void> {
  const lines: string[] = []
  for (const e of entries) lines.push(`${e.topic} ${e.partition} ${e.offset}\n`)
  await replaceFile(file, `0\n${lines.length}\n${lines.join('')}`)
}

export interface EpochStart {
  readonly epoch: number
  readonly startOffset: number
}

/**
 * Reads a partition's `leader-epoch-checkpoint`, whose lines are `epoch startOffset`. Returns an
 * empty list if the file does not exist. Throws MR_LOG_CHECKPOINT_MALFORMED.
 */
export function readEpochCheckpoint(file: string): EpochStart[] {
  return readEntries(file, 2).map(f => ({ epoch: toOffset(file, f[0]!), startOffset: toOffset(file, f[1]!) }))
}

/** Writes a `leader-epoch-checkpoint` atomically. */
export function writeEpochCheckpoint(file: string, entries: readonly EpochStart[]): void {
  const lines = entries.map(e => `${e.epoch} ${e.startOffset}\n`)
  replaceFileSync(file, `0\n${lines.length}\n${lines.join('')}`)
}

function readEntries(file: string, fieldCount: number): string[][] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
  if (text === '') return []
  const lines = text.split('\n').filter(line => line !== '')
  if (lines[0] !== '0') throw malformed(file, `the version is ${lines[0] || 'missing'}, but must be 0`)
  const count = Number(lines[1])
  const entries = lines.slice(2).map(line => line.split(/\s+/))
  if (count !== entries.length)
    throw malformed(file, `it announces ${lines[1] ?? 'no'} entries, but has ${entries.length}`)
  for (const e of entries)
    if (e.length !== fieldCount) throw malformed(file, `line '${e.join(' ')}' does not have ${fieldCount} fields`)
  return entries
}

function toOffset(file: string, text: string): number {
  const n = Number(text)
  if (!Number.isSafeInteger(n)) throw malformed(file, `'${text}' is not a number`)
  return n
}

function malformed(file: string, cause: string): Error {
  return logErrors.create('MR_LOG_CHECKPOINT_MALFORMED', { file: basename(file), cause })
}
