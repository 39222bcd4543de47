import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { removeFile } from '../io/files.ts'
import type { LogEnv } from '../log-env.ts'
import { decodeSnapshot } from '../producers/producer-snapshot.ts'
import type { ProducerStates } from '../producers/producer-states.ts'
import { LOG, offsetFileName, parseLogFileName, SNAPSHOT } from '../segment/log-files.ts'

/**
 * Loads the producer states from the latest valid snapshot at or below an offset. Returns the
 * snapshot's offset, or 0 if there is no snapshot. The caller must replay the batches from this
 * offset on. Removes snapshots after `upTo`, because their batches may no longer exist.
 */
export function loadSnapshot(o: { dir: string; env: LogEnv }, upTo: number, producers: ProducerStates): number {
  const offsets = snapshotOffsets(o.dir)
  for (let offset = offsets.pop(); offset !== undefined; offset = offsets.pop()) {
    const file = join(o.dir, offsetFileName(offset, SNAPSHOT))
    if (offset > upTo) {
      removeFile(file)
      continue
    }
    const entries = decodeSnapshot(readFileSync(file))
    if (entries === null) {
      o.env.logger.warn(
        `${file} is malformed. The producer states are restored from an older snapshot or from the batches`,
      )
      removeFile(file)
      continue
    }
    for (const entry of entries) producers.put(entry, o.env.now())
    return offset
  }
  return 0
}

/**
 * Removes the snapshots that each shutdown writes at the end of the log. Keeps the latest of them,
 * and the snapshots at the base offsets of segments.
 */
export function removeStraySnapshots(dir: string): void {
  const names = new Set(readdirSync(dir))
  const stray = snapshotOffsets(dir).filter(offset => !names.has(offsetFileName(offset, LOG)))
  stray.pop()
  for (const offset of stray) removeFile(join(dir, offsetFileName(offset, SNAPSHOT)))
}

function snapshotOffsets(dir: string): number[] {
  const offsets: number[] = []
  for (const name of readdirSync(dir)) {
    const file = parseLogFileName(name)
    if (file !== null && file.type === SNAPSHOT && file.state === '') offsets.push(file.offset)
  }
  return offsets.sort((a, b) => a - b)
}
