import { codeOf } from '../client/failure.ts'
import { Frame, isPublicationSkipped, serverError } from '../client/wire.ts'
import { formatLsn, type Lsn, readLsn } from '../lsn.ts'
import type { LoadedOffset } from '../offset.ts'
import type { PostgresOptions } from '../options.ts'
import { Message } from './pgoutput.ts'
import { ReplicationStream, type StreamStart } from './replication-stream.ts'

/**
 * Returns why the slot's WAL does not contain the transaction at which the offset ends; null if it
 * does, or if this is not known. A restored server has other transactions at that position, even if
 * its WAL is longer by now. The check is only possible with a slot behind the offset.
 */
export async function missingCommit(
  options: PostgresOptions,
  offset: LoadedOffset,
  confirmed: Lsn,
  start: StreamStart,
): Promise<string | null> {
  const { lsnCommit } = offset
  if (lsnCommit === null || offset.walId === null || confirmed >= lsnCommit) return null
  let stream: ReplicationStream
  try {
    stream = await ReplicationStream.start(options, { ...start, from: confirmed })
  } catch (error) {
    // the publication is missing: the connector creates it later, or reports the error
    if (codeOf(error) === '42704') return null
    throw error
  }
  try {
    if ((await hasEndAt(stream, lsnCommit, start.signal)) !== false) return null
    return `slot ${options.slot.name} has no transaction that ends at ${formatLsn(lsnCommit)}, the position of the offset (offset.mismatch.strategy=trust_offset skips this check)`
  } finally {
    await stream.close()
  }
}

/**
 * Returns whether a transaction, or a message outside of transactions, ends at a position. Returns
 * null if the publication is newer than the WAL, because the server then skips transactions.
 */
async function hasEndAt(stream: ReplicationStream, lsn: Lsn, signal: AbortSignal): Promise<boolean | null> {
  const { connection, walEnd } = stream
  for (;;) {
    while (!connection.next()) {
      // requests a reply, so that an idle server sends its position immediately
      stream.sendStatus(true)
      await connection.chunks.wait(signal, 1000)
    }
    const f = connection.frames
    if (f.type === Frame.Error) throw serverError(f)
    if (f.type === Frame.Notice && isPublicationSkipped(serverError(f))) return null
    if (f.type !== Frame.CopyData) continue
    const at = readLsn(f.buf, f.start + 1)
    if (f.buf[f.start] === 0x6b) {
      // The server has reached the offset. A message may still follow at the same position, unless
      // the WAL ended there when the stream started.
      if (at > lsn || (at === lsn && walEnd <= lsn)) return false
      continue
    }
    const kind = f.buf[f.start + 25]
    const ends = kind === Message.Commit || (kind === Message.Logical && f.buf[f.start + 26] === 0)
    if (ends && at >= lsn) return at === lsn
  }
}
