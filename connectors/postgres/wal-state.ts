import { codeOf } from './client/failure.ts'
import { openClient } from './client/open.ts'
import { WireConnection } from './client/wire.ts'
import { formatLsn, type Lsn, maxLsn, parseLsn, ZERO } from './lsn.ts'
import type { LoadedOffset } from './offset.ts'
import type { PostgresOptions } from './options.ts'

/** The identity of the WAL that contains a position: the cluster, and its timeline. */
export interface WalId {
  /** The system identifier, a 64-bit number as text. */
  readonly system: string
  /**
   * The timeline; `UNKNOWN_TIMELINE` in offsets of a standby, because the stream of a standby
   * continues on a new timeline when the standby is promoted.
   */
  readonly timeline: number
}

export const UNKNOWN_TIMELINE = 0

export interface IdentifiedWal extends WalId {
  /** The end of the flushed WAL. The server never sends changes past this position. */
  readonly end: Lsn
}

/** The current state of the server's WAL. */
export interface WalState extends IdentifiedWal {
  readonly inRecovery: boolean
  /** The low 32 bits of the next transaction id. */
  readonly nextTxId: number
  /** The position at which each earlier timeline ended; empty if the history was not read. */
  readonly leftAt: ReadonlyMap<number, Lsn>
}

export const formatWalId = (id: WalId): string => `${id.system}/${id.timeline}`

/** Returns the identity of the WAL that contains the positions of a stream. */
export const streamedFrom = (wal: WalState): WalId => (wal.inRecovery ? { ...wal, timeline: UNKNOWN_TIMELINE } : wal)

/** Parses the `wal_id` of an offset; null if the value is invalid. */
export function parseWalId(value: unknown): WalId | null {
  const m = typeof value === 'string' ? /^(\d{1,20})\/(\d{1,10})$/.exec(value) : null
  return m ? { system: m[1]!, timeline: Number(m[2]) } : null
}

/** Reads the identity and the end of the WAL over a replication connection. */
export async function identifyWal(connection: WireConnection, signal: AbortSignal): Promise<IdentifiedWal> {
  const [row] = await connection.rows('IDENTIFY_SYSTEM', signal)
  return { system: row!['systemid']!, timeline: Number(row!['timeline']), end: parseLsn(row!['xlogpos']!) }
}

/**
 * Parses a timeline history file: returns the position at which each timeline ended. Each line
 * contains a parent timeline, the position at which it ended, and a reason.
 */
export function parseHistory(content: string): Map<number, Lsn> {
  const leftAt = new Map<number, Lsn>()
  for (const line of content.split('\n')) {
    const m = /^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)/i.exec(line)
    if (m) leftAt.set(Number(m[1]), parseLsn(m[2]!))
  }
  return leftAt
}

const FIRST_TXID = 3
// age() counts up to the next transaction id. The ids in a snapshot may end earlier, because they
// do not include a transaction whose commit waits for a synchronous standby.
const STATE = `select pg_catalog.pg_is_in_recovery()::text as recovery,
  pg_catalog.age('${FIRST_TXID}'::pg_catalog.xid)::text as age`

/**
 * Returns the state of the WAL, over a separate connection. Reads the timeline history only if
 * `known` is on another timeline.
 */
export async function readWal(options: PostgresOptions, known: WalId | null, signal: AbortSignal): Promise<WalState> {
  const name = `millrace ${options.prefix} position`
  const client = await openClient(options.connection, { replication: true, name, signal })
  const connection = new WireConnection(client, options.maxQueueBytes)
  try {
    const [row] = await connection.rows(STATE, signal)
    const wal = await identifyWal(connection, signal)
    const moved = known !== null && known.system === wal.system && isLeft(known, wal)
    const leftAt = moved ? await readHistory(connection, wal.timeline, signal) : new Map<number, Lsn>()
    const nextTxId = (FIRST_TXID + Number(row!['age'])) >>> 0
    return { ...wal, inRecovery: row!['recovery'] === 'true', nextTxId, leftAt }
  } finally {
    await connection.close()
  }
}

const isLeft = (known: WalId, wal: WalId): boolean =>
  known.timeline !== UNKNOWN_TIMELINE && known.timeline !== wal.timeline

async function readHistory(connection: WireConnection, timeline: number, signal: AbortSignal) {
  try {
    const [row] = await connection.rows(`TIMELINE_HISTORY ${timeline}`, signal)
    return parseHistory(row?.['content'] ?? '')
  } catch (error) {
    // the first timeline has no history file
    if (codeOf(error) === '58P01') return new Map<number, Lsn>()
    throw error
  }
}

/** Returns the greatest position in an offset. */
export const reachedBy = (offset: LoadedOffset): Lsn =>
  [offset.lsn, offset.lsnProc, offset.lsnCommit].reduce<Lsn>((a, b) => (b === null ? a : maxLsn(a, b)), ZERO)

/**
 * The length of WAL within which transaction ids cannot wrap, because every transaction takes more
 * than 32 bytes.
 */
const NO_WRAP = 2 ** 31 * 32

/** Returns why an offset does not belong to this WAL; null if it does. */
export function strayed(offset: LoadedOffset, wal: WalState): string | null {
  const reached = reachedBy(offset)
  const at = formatLsn(reached)
  const { walId } = offset
  if (walId !== null && walId.system !== wal.system)
    return `the offset belongs to another server (its system identifier is ${walId.system}, that of this server is ${wal.system})`
  if (walId !== null && isLeft(walId, wal)) {
    const left = wal.leftAt.get(walId.timeline)
    if (left === undefined)
      return `the offset is on timeline ${walId.timeline}, which is not an ancestor of the server's timeline ${wal.timeline}`
    if (reached > left)
      return `the offset ${at} is on timeline ${walId.timeline}, but the server's timeline ${wal.timeline} branched off at ${formatLsn(left)}`
  }
  if (reached > wal.end) return `the server's WAL ends at ${formatLsn(wal.end)}, before the offset ${at}`
  if (offset.txId === null || walId === null || wal.inRecovery) return null
  const ahead = (offset.txId - wal.nextTxId) >>> 0
  const near = BigInt(wal.end) - BigInt(reached) < BigInt(NO_WRAP)
  if (near && ahead < 2 ** 31)
    return `the server has not reached transaction ${offset.txId}, which the offset ${at} contains`
  return null
}

/**
 * Returns whether a standby has not yet replayed the WAL up to the offset, so that waiting helps.
 */
export function isReplaying(offset: LoadedOffset, wal: WalState): boolean {
  return wal.inRecovery && strayed(offset, { ...wal, end: maxLsn(wal.end, reachedBy(offset)) }) === null
}
