import { type Logger, messageOf } from 'millrace/connect'
import type { Catalog } from '../catalog/catalog.ts'
import { literal } from '../catalog/tables.ts'
import { type Lsn, parseLsn } from '../lsn.ts'

/** The shortest time between two reads of the positions, in milliseconds. */
const READ_MS = 5000

/** The positions of the server's WAL and of the slot. */
export interface WalPositions {
  /** When the positions were read, in milliseconds since 1970. */
  readonly readAt: number
  readonly end: Lsn
  /** The slot's confirmed position; null without a slot. */
  readonly confirmed: Lsn | null
  /** The start of the WAL that the server keeps for the slot. */
  readonly restart: Lsn | null
}

/**
 * Reads the end of the server's WAL with a query. The stream does not report this position. While
 * the stream has a backlog, the server reports only the position up to which it has sent data.
 */
export class WalLag {
  readonly #catalog: Catalog
  readonly #slot: string
  readonly #logger: Logger
  #positions: WalPositions | null = null
  #readAt = Number.NEGATIVE_INFINITY
  #reading = false

  constructor(catalog: Catalog, slot: string, logger: Logger) {
    this.#catalog = catalog
    this.#slot = slot
    this.#logger = logger
  }

  /** The last known positions; null before the first read. */
  get positions(): WalPositions | null {
    return this.#positions
  }

  /** Reads the positions in the background, unless they were read recently. Never throws. */
  async refresh(): Promise<void> {
    if (this.#reading || performance.now() - this.#readAt < READ_MS) return
    this.#reading = true
    try {
      this.#positions = await this.#read()
    } catch (error) {
      this.#logger.debug(`cannot read the WAL position: ${messageOf(error)}`)
    } finally {
      this.#reading = false
      this.#readAt = performance.now()
    }
  }

  async #read(): Promise<WalPositions> {
    const [row] = await this.#catalog.rows(
      `select (case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn()
        else pg_catalog.pg_current_wal_flush_lsn() end)::text as wal_end,
        s.confirmed_flush_lsn::text as confirmed, s.restart_lsn::text as restart
        from (select) as one left join pg_catalog.pg_replication_slots s on s.slot_name = ${literal(this.#slot)}`,
    )
    const lsn = (text: unknown) => (typeof text === 'string' ? parseLsn(text) : null)
    return {
      readAt: Date.now(),
      end: lsn(row!['wal_end'])!,
      confirmed: lsn(row!['confirmed']),
      restart: lsn(row!['restart']),
    }
  }
}
