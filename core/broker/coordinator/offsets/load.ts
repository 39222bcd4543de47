import { nextTurn } from '../../../common/async/next-turn.ts'
import { messageOf } from '../../../common/errors/error-table.ts'
import type { Logger } from '../../../common/log.ts'
import { type DecodedBatch, readBatches } from '../../../protocol/records/batch-reader.ts'
import { controlRecordType } from '../../../protocol/records/control-records.ts'
import type { PartitionLog } from '../../log/types.ts'
import { type ReadRecord, readRecord } from './records.ts'

export interface LoadResult {
  readonly records: number
  readonly bytes: number
  /** Records that could not be read, or of kinds that are not served here (the newer group protocol's); they stay in the log. */
  readonly skipped: number
}

/**
 * Reads a partition of `__consumer_offsets` from its start and gives each record to `apply`, in order; offsets that were committed in a
 * transaction when it commits. At most `bufferSize` bytes are in memory at a time (more only if one batch is larger).
 */
export async function loadPartition(
  log: PartitionLog,
  bufferSize: number,
  apply: (record: ReadRecord) => void,
  signal: AbortSignal,
  logger: Logger,
): Promise<LoadResult> {
  const open = new Map<number, ReadRecord[]>()
  let records = 0
  let bytes = 0
  let skipped = 0
  const take = (batch: DecodedBatch) => {
    for (const r of batch.records()) {
      if (batch.isControl) {
        if (controlRecordType(r) === 'commit') open.get(batch.producerId)?.forEach(apply)
        open.delete(batch.producerId)
        continue
      }
      records++
      if (!r.key) continue
      const record = readable(r.key, r.value, `${log.topic}-${log.partition} at offset ${r.offset}`, logger)
      if (!record || record.kind === 'other') skipped++
      else if (batch.isTransactional) {
        const waiting = open.get(batch.producerId)
        if (waiting) waiting.push(record)
        else open.set(batch.producerId, [record])
      } else apply(record)
    }
  }
  let offset = log.logStartOffset
  while (offset < log.logEndOffset) {
    signal.throwIfAborted()
    const { chunks, size } = await log.read(offset, bufferSize, { upTo: 'logEnd', minOneBatch: true })
    const buffer = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
    const from = offset
    for (const batch of readBatches(buffer)) {
      if (batch.lastOffset < offset) continue
      take(batch)
      offset = batch.lastOffset + 1
    }
    bytes += size
    if (offset === from) break
    await nextTurn()
  }
  return { records, bytes, skipped }
}

/** One record that cannot be read must not keep all groups of its partition away: it is left out, with a warning. */
function readable(key: Buffer, value: Buffer | null, where: string, logger: Logger): ReadRecord | null {
  try {
    return readRecord(key, value)
  } catch (error) {
    logger.warn(`Left out an unreadable record of ${where}: ${messageOf(error)}`)
    return null
  }
}
