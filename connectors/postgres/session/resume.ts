import type { SourceOffset } from 'millrace/connect'
import { type Lsn, ZERO } from '../lsn.ts'
import { type LoadedOffset, loadOffset, type SnapshotProgress } from '../offset.ts'
import type { Plan } from '../plan.ts'
import { StreamPosition } from '../stream/position.ts'

/**
 * The progress of the snapshot: `begin` before the first row, null if no snapshot has to be read.
 */
export type SnapshotState = SnapshotProgress | 'begin' | null

/** The state that a task keeps from one connection to the next. */
export interface Resume {
  readonly plan: Plan
  /** The confirmed position of the slot at the first connection. */
  readonly slotFloor: Lsn
  /** The offset at which the task started. */
  readonly start: SourceOffset
  /**
   * The identity of the current connection's WAL, as in offsets; null if the task does not stream.
   */
  readonly walId: string | null
  /** The offset of the last emitted record; null before the first record. */
  readonly emitted: SourceOffset | null
  /**
   * The latest position that may be confirmed for `emitted`, or for `start` if `emitted` is null.
   */
  readonly confirmable: Lsn
  readonly snapshot: SnapshotState
}

/** A planned start, with the positions of the slot that was found or created for the start. */
export interface PlannedStart {
  readonly plan: Plan
  /** The confirmed position of the slot that was found; null if no slot was found. */
  readonly confirmedLsn: Lsn | null
  /** The position of the slot that was created; null if no slot was created. */
  readonly createdLsn: Lsn | null
  readonly walId: string | null
  readonly micros: number
}

/** Returns the state from which the first connection starts. */
export function firstResume(start: PlannedStart): Resume {
  const { plan, confirmedLsn, createdLsn, walId, micros } = start
  const { from } = plan
  const slotFloor = createdLsn ?? confirmedLsn ?? ZERO
  const offset = from === null ? { lsn: slotFloor, ts_usec: micros } : from.raw
  const confirmable = new StreamPosition(loadOffset(offset)).startLsn()
  // if the slot was recreated or advanced, rows that were already read may have changed unnoticed,
  // so the snapshot starts again
  const isSameSlot = from !== null && (confirmedLsn ?? ZERO) <= confirmable
  const progress = isSameSlot && from.inSnapshot ? from.progress : null
  const snapshot = plan.snapshot ? (progress ?? 'begin') : null
  return { plan, slotFloor, start: offset, walId, emitted: null, confirmable, snapshot }
}

/**
 * Returns the state from which a later connection resumes. Records that were decoded but not
 * emitted are decoded again, so the snapshot also resumes after the last emitted record.
 */
export function nextResume(resume: Resume, walId: string | null): Resume {
  const { emitted, snapshot } = resume
  if (snapshot === null || emitted === null) return { ...resume, walId }
  return { ...resume, walId, snapshot: loadOffset(emitted).progress ?? 'begin' }
}

/**
 * Returns the offset from which the next connection resumes; null for a start without a committed
 * offset.
 */
export function resumeOffset(resume: Resume | null, committed: LoadedOffset | null): LoadedOffset | null {
  if (resume === null) return committed
  return loadOffset(resume.emitted ?? { wal_id: resume.walId, ...resume.start })
}

/** Returns the position at which the stream of a connection starts. */
export function positionOf(resume: Resume): StreamPosition {
  const position = new StreamPosition(loadOffset(resume.emitted ?? resume.start))
  position.walId = resume.walId
  return position
}

/**
 * Returns the fields that offsets of the stream contain until the snapshot is complete; null after
 * that.
 */
export function snapshotMark(snapshot: SnapshotState): Readonly<Record<string, unknown>> | null {
  if (snapshot === null) return null
  const mark = { snapshot: 'INITIAL', snapshot_completed: false, last_snapshot_record: false }
  return snapshot === 'begin' ? mark : { ...mark, snapshot_progress: JSON.stringify(snapshot) }
}
