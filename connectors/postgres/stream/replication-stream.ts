import { nowMicros } from '../../cdc/index.ts'
import { literal, quoted } from '../catalog/tables.ts'
import { openClient } from '../client/open.ts'
import { Frame, serverError, WireConnection } from '../client/wire.ts'
import { errors } from '../errors.ts'
import { formatLsn, type Lsn, writeLsn } from '../lsn.ts'
import type { PostgresOptions } from '../options.ts'
import { formatWalId, identifyWal, type WalId } from '../wal-state.ts'
import { pgMicros } from './pgoutput.ts'
import type { FlushTracker } from './position.ts'

/**
 * The first server version that can send logical decoding messages, if the option `messages` is
 * set.
 */
const MESSAGES_SINCE = 140_000

/** The shortest time between a status and the next reply to the server, in milliseconds. */
const REPLY_MS = 50

/** The settings with which a stream starts. */
export interface StreamStart {
  readonly serverVersion: number
  readonly from: Lsn
  /** The identity of the WAL for which `from` was checked. */
  readonly wal: WalId
  readonly flush: FlushTracker
  readonly signal: AbortSignal
}

/** A replication stream. Periodically confirms the committed position to the server. */
export class ReplicationStream {
  readonly connection: WireConnection
  /** The end of the server's WAL just before the stream started. */
  readonly walEnd: Lsn
  readonly #flush: FlushTracker
  readonly #timer: NodeJS.Timeout
  #lastSent = 0
  #reply: NodeJS.Timeout | null = null

  private constructor(connection: WireConnection, walEnd: Lsn, flush: FlushTracker, statusMs: number) {
    this.connection = connection
    this.walEnd = walEnd
    this.#flush = flush
    // the timer also runs while nothing is read, because the server closes a connection on which no
    // status arrives
    this.#timer = setInterval(() => this.sendStatus(), statusMs)
    this.#timer.unref()
  }

  /**
   * Returns a stream of the transactions that end after `from`. Throws a ServerError or
   * MR_PG_CONNECT_FAILED. Throws MR_PG_CONNECTION_LOST if the address leads to a different server
   * than when `from` was checked.
   */
  static async start(options: PostgresOptions, start: StreamStart): Promise<ReplicationStream> {
    const { serverVersion, from, flush, signal } = start
    const name = `millrace ${options.prefix} stream`
    const client = await openClient(options.connection, { replication: true, name, signal })
    const connection = new WireConnection(client, options.maxQueueBytes)
    try {
      const wal = await identifyWal(connection, signal)
      // if `from` is past the end of the WAL, the server would skip all changes before `from`
      if (formatWalId(wal) !== formatWalId(start.wal) || wal.end < from)
        throw errors.create('MR_PG_CONNECTION_LOST', { cause: 'the address now leads to a different server' })
      const [timeout] = await connection.rows('SHOW wal_sender_timeout', signal)
      const params: [string, string][] = [
        ['proto_version', '1'],
        ['publication_names', quoted(options.publication.name)],
        ...(serverVersion >= MESSAGES_SINCE ? [['messages', 'true'] as [string, string]] : []),
        ...options.slot.params.map(([k, v]) => [k, v] as [string, string]),
      ]
      const shown = params.map(([k, v]) => `${quoted(k)} ${literal(v)}`).join(', ')
      connection.sendQuery(`START_REPLICATION SLOT ${quoted(options.slot.name)} LOGICAL ${formatLsn(from)} (${shown})`)
      for (;;) {
        const f = await connection.frame(signal)
        if (f.type === Frame.Error) throw serverError(f)
        if (f.type === Frame.CopyBoth) break
      }
      const limit = intervalMs(timeout?.['wal_sender_timeout'] ?? '0')
      const statusMs = limit > 0 ? Math.min(options.slot.statusMs, Math.max(100, limit / 3)) : options.slot.statusMs
      return new ReplicationStream(connection, wal.end, flush, statusMs)
    } catch (error) {
      await connection.close()
      throw error
    }
  }

  /**
   * Replies to a status request of the server. A server that is shutting down repeats its requests,
   * so the rate of the replies is limited.
   */
  reply(): void {
    const wait = this.#lastSent + REPLY_MS - Date.now()
    if (wait <= 0) this.sendStatus()
    else this.#reply ??= setTimeout(() => this.sendStatus(), wait)
  }

  /**
   * Confirms the committed position to the server. With `ask`, the server immediately replies with
   * a keepalive.
   */
  sendStatus(ask = false): void {
    if (this.#reply) clearTimeout(this.#reply)
    this.#reply = null
    this.#lastSent = Date.now()
    // zero confirms nothing, but keeps the connection alive
    const flushed = this.#flush.flushed
    const status = Buffer.alloc(34)
    status[0] = 0x72
    writeLsn(status, flushed, 1)
    writeLsn(status, flushed, 9)
    writeLsn(status, flushed, 17)
    status.writeBigInt64BE(pgMicros(nowMicros()), 25)
    if (ask) status[33] = 1
    this.connection.sendCopyData(status)
  }

  /**
   * Closes the stream. The reader can still read the data that has arrived, and then receives
   * `cause` as an error.
   */
  abandon(cause: string): void {
    this.connection.chunks.fail(errors.create('MR_PG_CONNECTION_LOST', { cause }))
    void this.close()
  }

  /**
   * Closes the stream. Resolves when the server has released the slot, or when it does not reply.
   */
  close(): Promise<void> {
    clearInterval(this.#timer)
    if (this.#reply) clearTimeout(this.#reply)
    return this.connection.close()
  }
}

/** Returns the milliseconds of a setting such as `1min`, `30s` or `500ms`. */
export function intervalMs(text: string): number {
  const m = /^(\d+)\s*(ms|s|min|h|d)?$/.exec(text.trim())
  if (!m) return 0
  const unit = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 }[m[2] ?? 'ms'] ?? 1
  return Number(m[1]) * unit
}
