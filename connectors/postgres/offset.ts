import type { SourceOffset } from 'millrace/connect'
import { type Lsn, lsnOf, maxLsn } from './lsn.ts'
import { parseWalId, type WalId } from './wal-state.ts'

/** How far a snapshot got: kept in the offset while it runs, so that the next attempt goes on from there. */
export interface SnapshotProgress {
  /** A digest of the tables to read: where it differs, the snapshot begins anew. */
  readonly tables: string
  /** The table being read, by its place in the order. All before it are done. */
  readonly at: number
  /** The key of the last row that was given, as the server prints it; null where the table must be read from its begin. */
  readonly after: readonly string[] | null
}

/** A parsed offset: Debezium's keys, plus `snapshot_progress`, `wal_id` and `lsn_idle`. */
export interface LoadedOffset {
  /** Whether a snapshot was running when it was written. */
  readonly inSnapshot: boolean
  readonly lsn: Lsn | null
  /** The position of the last event that was given. */
  readonly lsnProc: Lsn | null
  /** The end of the last transaction that was given whole. */
  readonly lsnCommit: Lsn | null
  /** How many events at `lsnProc` were given: rows of one COPY share a position. */
  readonly eventsAtLsn: number
  readonly txId: number | null
  readonly progress: SnapshotProgress | null
  /**
   * How far past `lsnCommit` the stream had nothing to capture: the slot may be confirmed up to
   * here.
   */
  readonly lsnIdle: Lsn | null
  /** The WAL that the positions belong to; null in offsets of Debezium and of older versions. */
  readonly walId: WalId | null
  readonly raw: SourceOffset
}

export function progressOf(value: unknown): SnapshotProgress | null {
  if (typeof value !== 'string') return null
  try {
    const p = JSON.parse(value) as SnapshotProgress
    const keyFine = p.after === null || (Array.isArray(p.after) && p.after.every(k => typeof k === 'string'))
    return typeof p.tables === 'string' && Number.isSafeInteger(p.at) && keyFine ? p : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** Reads an offset, ours or Debezium's (older ones have a boolean `snapshot`). */
export function loadOffset(raw: SourceOffset): LoadedOffset {
  const mark = raw['snapshot']
  const marked = mark !== undefined && mark !== null && mark !== false && mark !== 'false'
  const complete = raw['snapshot_completed'] === true || raw['last_snapshot_record'] === true
  const count = raw['lsn_events_processed']
  const txId = raw['txId']
  return {
    inSnapshot: marked && !complete && String(mark).toUpperCase() !== 'INCREMENTAL',
    lsn: lsnOf(raw['lsn']),
    lsnProc: lsnOf(raw['lsn_proc']),
    lsnCommit: lsnOf(raw['lsn_commit']),
    eventsAtLsn: typeof count === 'number' ? count : 0,
    txId: typeof txId === 'number' ? txId : null,
    progress: progressOf(raw['snapshot_progress']),
    lsnIdle: lsnOf(raw['lsn_idle']),
    walId: parseWalId(raw['wal_id']),
    raw,
  }
}

/** The offset of a snapshot's records. `at` in microseconds since 1970. */
export function snapshotOffset(o: {
  lsn: Lsn
  txId: number
  at: number
  last: boolean
  progress: SnapshotProgress | null
}): SourceOffset {
  return {
    last_snapshot_record: o.last,
    lsn: o.lsn,
    txId: o.txId,
    ts_usec: o.at,
    snapshot: 'INITIAL',
    snapshot_completed: o.last,
    ...(o.progress === null ? {} : { snapshot_progress: JSON.stringify(o.progress) }),
  }
}

/** Operations as Debezium's offsets name them. */
export type MessageType = 'BEGIN' | 'COMMIT' | 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE' | 'MESSAGE'

/**
 * How far an offset allows the slot to be confirmed: the end of its last complete transaction, and
 * past idle WAL.
 */
export function confirmableBy(offset: LoadedOffset): Lsn | null {
  const { lsnIdle } = offset
  const lsn = offset.lsnCommit ?? offset.lsn
  return lsn === null || lsnIdle === null ? (lsn ?? lsnIdle) : maxLsn(lsn, lsnIdle)
}
