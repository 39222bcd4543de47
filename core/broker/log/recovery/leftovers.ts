import { readdirSync, renameSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { removeFile, renameIfThere } from '../io/files.ts'
import type { LogEnv } from '../log-env.ts'
import { scanBatches } from '../segment/batch-scan.ts'
import {
  CLEANED,
  DELETED,
  INDEX,
  LOG,
  type LogFileName,
  offsetFileName,
  parseLogFileName,
  SWAP,
  TIME_INDEX,
  TXN_INDEX,
} from '../segment/log-files.ts'

/**
 * Completes or undoes operations that a crash interrupted. Removes `.deleted` and `.cleaned` files.
 * A `.swap` segment is a complete result of compaction, and replaces the segments whose records it
 * contains. As in Kafka, the `.swap` segment is removed instead if a `.cleaned` file has the same
 * or a lower offset, because the compaction may then be incomplete.
 */
export async function cleanLeftovers(dir: string, env: LogEnv): Promise<void> {
  const files: { name: string; file: LogFileName }[] = []
  for (const name of readdirSync(dir)) {
    if (name.endsWith('.tmp')) removeFile(join(dir, name))
    const file = parseLogFileName(name)
    if (file !== null && file.state !== '') files.push({ name, file })
  }
  let firstCleaned = Number.POSITIVE_INFINITY
  for (const { name, file } of files) {
    if (file.state === CLEANED) firstCleaned = Math.min(firstCleaned, file.offset)
    if (file.state === DELETED || file.state === CLEANED) removeFile(join(dir, name))
  }
  for (const { name, file } of files) {
    if (file.state === SWAP && file.offset >= firstCleaned) removeFile(join(dir, name))
  }
  for (const { file } of files) {
    if (file.state !== SWAP || file.type !== LOG || file.offset >= firstCleaned) continue
    await finishSwap(dir, file.offset)
    env.logger.info(`${join(dir, offsetFileName(file.offset, LOG))}: completed a compaction that a crash interrupted`)
  }
  // Remove the remaining `.swap` indexes. The `.log` file of their segment was not renamed to
  // `.swap` yet, or already has its final name.
  for (const { name, file } of files) if (file.state === SWAP && file.type !== LOG) removeFile(join(dir, name))
}

async function finishSwap(dir: string, offset: number): Promise<void> {
  const swapped = join(dir, offsetFileName(offset, LOG) + SWAP)
  let end = offset
  const handle = await open(swapped, 'r')
  try {
    const size = statSync(swapped).size
    await scanBatches(handle, { path: swapped, from: 0, size, checkCrc: false, baseOffset: offset }, meta => {
      end = meta.lastOffset + 1
    })
  } finally {
    await handle.close()
  }
  for (const name of readdirSync(dir)) {
    const file = parseLogFileName(name)
    if (file === null || file.state !== '' || ![LOG, INDEX, TIME_INDEX, TXN_INDEX].includes(file.type)) continue
    if (file.offset > offset && file.offset < end) removeFile(join(dir, name))
  }
  for (const suffix of [INDEX, TIME_INDEX, TXN_INDEX]) {
    const index = join(dir, offsetFileName(offset, suffix))
    // If there is no `.swap` file, the transaction index already has its final name. The other two
    // indexes are rebuilt when the segment is loaded.
    if (!renameIfThere(index + SWAP, index) && suffix !== TXN_INDEX) removeFile(index)
  }
  renameSync(swapped, join(dir, offsetFileName(offset, LOG)))
}
