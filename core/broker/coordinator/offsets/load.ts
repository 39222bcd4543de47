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
  /**
   * The number of records that were not applied: those that cannot be decoded, and those of the
   * newer group protocol. They remain in the log.
   */
  readonly skipped: number
}

/**
 * Reads a partition of `__consumer_offsets` from its start, and passes each record to `apply` in
 * order. Offsets of a transaction are passed when the transaction commits. Uses at most
 * `bufferSize` bytes of memory at a time, unless a single batch is larger.
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

/**
 * Decodes a record. Returns null, with a warning, if the record cannot be decoded, so that one such
 * record does not block all groups of the partition.
 */
function readable(key: Buffer, value: Buffer | null, where: string, logger: Logger): ReadRecord | null {
  try {
    return readRecord(key, value)
  } catch (error) {
    logger.warn(`Skipped an unreadable record of ${where}: ${messageOf(error)}`)
    return null
  }
}
