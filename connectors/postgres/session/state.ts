import type { SourceOffset } from 'millrace/connect'
import type { Lsn } from '../lsn.ts'
import { ZERO } from '../lsn.ts'
import { confirmableBy, type LoadedOffset, loadOffset, type SnapshotProgress } from '../offset.ts'
import type { Plan } from '../plan.ts'
import { StreamPosition } from '../stream/position.ts'

/** The progress of the snapshot: `begin` before its first row, null if no snapshot is due. */
export type SnapshotState = SnapshotProgress | 'begin' | null

/** What a task keeps from one connection to the next. */
export interface Resume {
  readonly plan: Plan
  /** The confirmed position of the slot at the first connection. */
  readonly slotFloor: Lsn
  /** The offset at which the task started. */
  readonly start: SourceOffset
  /** The WAL of the current connection, as in offsets; null if the task does not stream. */
  readonly walId: string | null
  /** The offset of the last emitted record; null before the first one. */
  readonly emitted: SourceOffset | null
  /** How far `emitted`, or else `start`, allows the slot to be confirmed. */
  readonly confirmable: Lsn
  readonly snapshot: SnapshotState
}

/** A snapshot whose transaction is open. */
export interface OpenedSnapshot<Snapshot> {
  readonly snapshot: Snapshot
  /**
   * The stream must be read up to this position first; null if the stream starts at the snapshot.
   */
  readonly target: Lsn | null
}

/**
 * The phase of a task, with the resources that belong to it. The type parameters are the handles of
 * an open stream and an open snapshot: `decide` only stores them and passes them on.
 */
export type SessionState<Stream, Snapshot> =
  | {
      /** Opens the resources one by one. `resume` is null until the first start is planned. */
      readonly phase: 'connecting'
      readonly resume: Resume | null
      readonly stream: Stream | null
      readonly opened: OpenedSnapshot<Snapshot> | null
    }
  | {
      /**
       * Streams up to the position of a snapshot that did not start with a new slot. Changes made
       * between an interrupted snapshot and this one become events before their rows are read
       * again: deletes are not missed, and no row's older state follows a newer one.
       */
      readonly phase: 'catching up'
      readonly resume: Resume
      readonly stream: Stream
      readonly snapshot: Snapshot
      readonly target: Lsn
    }
  | {
      /** Reads the tables. `stream` is null with `snapshot.mode=initial_only`. */
      readonly phase: 'snapshotting'
      readonly resume: Resume
      readonly stream: Stream | null
      readonly snapshot: Snapshot
    }
  | {
      /** `delayMs` is what remains of `streaming.delay.ms`. */
      readonly phase: 'streaming'
      readonly resume: Resume
      readonly stream: Stream
      readonly delayMs: number
    }
  | {
      /** The snapshot of `snapshot.mode=initial_only` is complete. */
      readonly phase: 'finished'
      readonly resume: Resume
    }

export type SessionEvent<Stream, Snapshot> =
  /** The first start is planned, and its slot exists. */
  | {
      readonly type: 'planned'
      readonly plan: Plan
      /** The confirmed position of a slot that existed, and the position of a new one. */
      readonly confirmedLsn: Lsn | null
      readonly createdLsn: Lsn | null
      readonly walId: string | null
      readonly micros: number
    }
  /** A later connection found the slot and the offset in order. */
  | { readonly type: 'resumed'; readonly walId: string | null }
  | { readonly type: 'stream started'; readonly stream: Stream }
  | { readonly type: 'snapshot opened'; readonly opened: OpenedSnapshot<Snapshot> }
  | { readonly type: 'connected' }
  /** The stream was read up to `reached`; `held` if it stopped before a later transaction. */
  | { readonly type: 'stream read'; readonly reached: Lsn; readonly held: boolean }
  | {
      readonly type: 'snapshot read'
      readonly progress: SnapshotProgress
      readonly done: boolean
      /** `streaming.delay.ms` */
      readonly delayMs: number
    }
  | { readonly type: 'delay passed' }
  | { readonly type: 'emitted'; readonly offset: SourceOffset }
  | { readonly type: 'disconnected' }

export type SessionAction<Stream, Snapshot> =
  | { readonly do: 'wait for the stream'; readonly stream: Stream }
  | { readonly do: 'log that it caught up'; readonly stream: Stream }
  | { readonly do: 'end snapshot'; readonly snapshot: Snapshot; readonly stream: Stream | null }
  | { readonly do: 'close snapshot'; readonly snapshot: Snapshot }
  | { readonly do: 'close stream'; readonly stream: Stream }

export interface Decision<Stream, Snapshot> {
  readonly state: SessionState<Stream, Snapshot>
  readonly actions: readonly SessionAction<Stream, Snapshot>[]
}

export const CONNECTING = { phase: 'connecting', resume: null, stream: null, opened: null } as const

/**
 * Returns the next state and what to do about it. Pure: no I/O and no clock. An event that does not
 * belong to the phase changes nothing, but a resource that it brings is closed.
 */
export function decide<T, S>(state: SessionState<T, S>, event: SessionEvent<T, S>): Decision<T, S> {
  switch (event.type) {
    case 'planned':
      return state.phase === 'connecting' && state.resume === null
        ? stay({ ...state, resume: planned(event) })
        : stay(state)
    case 'resumed':
      return state.phase === 'connecting' && state.resume !== null
        ? stay({ ...state, resume: resumed(state.resume, event.walId) })
        : stay(state)
    case 'stream started':
      return state.phase === 'connecting' && state.stream === null
        ? stay({ ...state, stream: event.stream })
        : { state, actions: [{ do: 'close stream', stream: event.stream }] }
    case 'snapshot opened':
      return state.phase === 'connecting' && state.opened === null
        ? stay({ ...state, opened: event.opened })
        : { state, actions: [{ do: 'close snapshot', snapshot: event.opened.snapshot }] }
    case 'connected':
      return stay(connected(state))
    case 'stream read':
      return streamRead(state, event.reached, event.held)
    case 'snapshot read':
      return snapshotRead(state, event)
    case 'delay passed':
      return stay(state.phase === 'streaming' ? { ...state, delayMs: 0 } : state)
    case 'emitted':
      return stay(emitted(state, event.offset))
    case 'disconnected':
      return disconnected(state)
  }
}

const stay = <T, S>(state: SessionState<T, S>): Decision<T, S> => ({ state, actions: [] })

function planned(event: Extract<SessionEvent<never, never>, { type: 'planned' }>): Resume {
  const { plan, confirmedLsn, createdLsn, walId, micros } = event
  const { from } = plan
  const slotFloor = createdLsn ?? confirmedLsn ?? ZERO
  const start = from === null ? { lsn: slotFloor, ts_usec: micros } : from.raw
  const confirmable = new StreamPosition(loadOffset(start)).startLsn()
  // rows that were read before the slot was recreated may have changed unseen: read them again
  const isSameSlot = from !== null && (confirmedLsn ?? ZERO) <= confirmable
  const progress = isSameSlot && from.inSnapshot ? from.progress : null
  const snapshot = plan.snapshot ? (progress ?? 'begin') : null
  return { plan, slotFloor, start, walId, emitted: null, confirmable, snapshot }
}

/**
 * Records that were decoded but not emitted are decoded again, so the snapshot resumes there too.
 */
function resumed(resume: Resume, walId: string | null): Resume {
  const { emitted, snapshot } = resume
  if (snapshot === null || emitted === null) return { ...resume, walId }
  return { ...resume, walId, snapshot: loadOffset(emitted).progress ?? 'begin' }
}

function connected<T, S>(state: SessionState<T, S>): SessionState<T, S> {
  if (state.phase !== 'connecting' || state.resume === null) return state
  const { resume, stream, opened } = state
  if (opened !== null && opened.target !== null && stream !== null)
    return { phase: 'catching up', resume, stream, snapshot: opened.snapshot, target: opened.target }
  if (opened !== null) return { phase: 'snapshotting', resume, stream, snapshot: opened.snapshot }
  return afterSnapshot(resume, stream, 0)
}

const afterSnapshot = <T, S>(resume: Resume, stream: T | null, delayMs: number): SessionState<T, S> =>
  stream === null ? { phase: 'finished', resume } : { phase: 'streaming', resume, stream, delayMs }

function streamRead<T, S>(state: SessionState<T, S>, reached: Lsn, held: boolean): Decision<T, S> {
  if (state.phase !== 'catching up') return stay(state)
  const { resume, stream, snapshot, target } = state
  if (!held && reached < target) return { state, actions: [{ do: 'wait for the stream', stream }] }
  return {
    state: { phase: 'snapshotting', resume, stream, snapshot },
    actions: [{ do: 'log that it caught up', stream }],
  }
}

function snapshotRead<T, S>(
  state: SessionState<T, S>,
  event: { readonly progress: SnapshotProgress; readonly done: boolean; readonly delayMs: number },
): Decision<T, S> {
  if (state.phase !== 'snapshotting') return stay(state)
  const { resume, stream, snapshot } = state
  if (!event.done) return stay<T, S>({ ...state, resume: { ...resume, snapshot: event.progress } })
  const next = afterSnapshot<T, S>({ ...resume, snapshot: null }, stream, event.delayMs)
  return { state: next, actions: [{ do: 'end snapshot', snapshot, stream }] }
}

function emitted<T, S>(state: SessionState<T, S>, offset: SourceOffset): SessionState<T, S> {
  // nothing is emitted while connecting
  if (state.phase === 'connecting') return state
  const confirmable = confirmableBy(loadOffset(offset)) ?? ZERO
  return { ...state, resume: { ...state.resume, emitted: offset, confirmable } }
}

function disconnected<T, S>(state: SessionState<T, S>): Decision<T, S> {
  const actions: SessionAction<T, S>[] = []
  const stream = streamOf(state)
  const snapshot = snapshotOf(state)
  if (snapshot !== null) actions.push({ do: 'close snapshot', snapshot })
  if (stream !== null) actions.push({ do: 'close stream', stream })
  return { state: { ...CONNECTING, resume: state.resume }, actions }
}

export const streamOf = <T, S>(state: SessionState<T, S>): T | null =>
  state.phase === 'finished' ? null : state.stream

export function snapshotOf<T, S>(state: SessionState<T, S>): S | null {
  switch (state.phase) {
    case 'connecting':
      return state.opened?.snapshot ?? null
    case 'catching up':
    case 'snapshotting':
      return state.snapshot
    case 'streaming':
    case 'finished':
      return null
  }
}

/** The offset from which the next connection resumes; null for a start without a committed one. */
export function resumeOffset(resume: Resume | null, committed: LoadedOffset | null): LoadedOffset | null {
  if (resume === null) return committed
  return loadOffset(resume.emitted ?? { wal_id: resume.walId, ...resume.start })
}

/** The position at which the stream of a connection starts. */
export function positionOf(resume: Resume): StreamPosition {
  const position = new StreamPosition(loadOffset(resume.emitted ?? resume.start))
  position.walId = resume.walId
  return position
}

/** What offsets of the stream contain while a snapshot is not complete. */
export function snapshotMark(snapshot: SnapshotState): Readonly<Record<string, unknown>> | null {
  if (snapshot === null) return null
  const mark = { snapshot: 'INITIAL', snapshot_completed: false, last_snapshot_record: false }
  return snapshot === 'begin' ? mark : { ...mark, snapshot_progress: JSON.stringify(snapshot) }
}
