import { codeOf } from '../client/failure.ts'
import { Frame, serverError } from '../client/wire.ts'
import { formatLsn, type Lsn, readLsn } from '../lsn.ts'
import type { LoadedOffset } from '../offset.ts'
import type { PostgresOptions } from '../options.ts'
import { Message } from './pgoutput.ts'
import { ReplicationStream, type StreamStart } from './replication-stream.ts'

/**
 * Whether the slot's WAL has the transaction that ends the offset: a server that was restored to an older state has others there,
 * though its WAL may be longer by now. Only a slot that is behind the offset can tell. Null where it has, or where nobody
 * can say.
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
    // a publication that is gone: the connector makes it, or says so
    if (codeOf(error) === '42704') return null
    throw error
  }
  try {
    const end = await firstEndFrom(stream, lsnCommit, start.signal)
    if (end === lsnCommit) return null
    return `slot ${options.slot.name} holds no transaction that ends at ${formatLsn(lsnCommit)}, where the offset is (offset.mismatch.strategy=trust_offset does not look for it)`
  } finally {
    await stream.close()
  }
}

/** The first end of a transaction, or message outside of one, at a position or past it; or how far the server got. */
async function firstEndFrom(stream: ReplicationStream, lsn: Lsn, signal: AbortSignal): Promise<Lsn> {
  const { connection } = stream
  for (;;) {
    while (!connection.next()) {
      // an idle server answers at once how far it is
      stream.sendStatus(true)
      await connection.chunks.wait(signal, 1000)
    }
    const f = connection.frames
    if (f.type === Frame.Error) throw serverError(f)
    if (f.type !== Frame.CopyData) continue
    const at = readLsn(f.buf, f.start + 1)
    if (f.buf[f.start] === 0x6b) {
      if (at > lsn) return at
      continue
    }
    const kind = f.buf[f.start + 25]
    const ends = kind === Message.Commit || (kind === Message.Logical && f.buf[f.start + 26] === 0)
    if (ends && at >= lsn) return at
  }
}
