import type { SourceOffset } from 'millrace/connect'
import { type Lsn, lsnOf, maxLsn } from './lsn.ts'
import { parseWalId, type WalId } from './wal-state.ts'

/**
 * The progress of a snapshot. The offsets that are written during a snapshot contain it, so that
 * the next attempt resumes after the last emitted row.
 */
export interface SnapshotProgress {
  /** A digest of the list of tables. If the list has changed, the snapshot starts again. */
  readonly tables: string
  /** The index of the current table. All tables before this one are complete. */
  readonly at: number
  /**
   * The key of the last emitted row, as the server prints it; null to read the table from its
   * start.
   */
  readonly after: readonly string[] | null
}

/** A parsed offset. It has Debezium's keys, and `snapshot_progress`, `wal_id` and `lsn_idle`. */
export interface LoadedOffset {
  /** Whether the offset was written before its snapshot was complete. */
  readonly inSnapshot: boolean
  readonly lsn: Lsn | null
  /** The position of the last emitted event. */
  readonly lsnProc: Lsn | null
  /** The end of the last transaction whose events were all emitted. */
  readonly lsnCommit: Lsn | null
  /**
   * The number of events that were emitted at `lsnProc`. The rows of a COPY, for example, have the
   * same position.
   */
  readonly eventsAtLsn: number
  readonly txId: number | null
  readonly progress: SnapshotProgress | null
  /**
   * Up to this position, the WAL after `lsnCommit` contains nothing to capture. The slot may be
   * confirmed up to this position.
   */
  readonly lsnIdle: Lsn | null
  /**
   * The identity of the WAL that contains the positions; null in offsets of Debezium and of older
   * versions.
   */
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

/** Parses an offset of this connector or of Debezium. In old offsets, `snapshot` is a boolean. */
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

/**
 * Returns the offset of a snapshot's record. `at` is the time of the snapshot, in microseconds
 * since 1970.
 */
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

/** The types of messages, with their names in Debezium's offsets. */
export type MessageType = 'BEGIN' | 'COMMIT' | 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE' | 'MESSAGE'

/**
 * Returns the latest position that may be confirmed for an offset: the end of the last complete
 * transaction, or `lsn_idle` if that is later.
 */
export function confirmableBy(offset: LoadedOffset): Lsn | null {
  const { lsnIdle } = offset
  const lsn = offset.lsnCommit ?? offset.lsn
  return lsn === null || lsnIdle === null ? (lsn ?? lsnIdle) : maxLsn(lsn, lsnIdle)
}
