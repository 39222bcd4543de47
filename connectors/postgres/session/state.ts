import type { SourceOffset } from 'millrace/connect'
import { type Lsn, ZERO } from '../lsn.ts'
import { confirmableBy, loadOffset, type SnapshotProgress } from '../offset.ts'
import { firstResume, nextResume, type PlannedStart, type Resume } from './resume.ts'

/** A snapshot whose transaction is open. */
export interface OpenedSnapshot<Snapshot> {
  readonly snapshot: Snapshot
  /**
   * The position that the stream must reach before the snapshot; null if the stream starts at the
   * snapshot's position.
   */
  readonly target: Lsn | null
}

/**
 * The phase of a session, with its open resources. The type parameters are the handles of an open
 * stream and of an open snapshot. `decide` only stores the handles and passes them on.
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
       * Streams up to the position of a snapshot that did not start with a new slot. Changes
       * between an interrupted snapshot and this one are emitted before their rows are read again.
       * Therefore no delete is missed, and no older state of a row follows a newer state.
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
      /** `delayMs` is the remaining part of `streaming.delay.ms`. */
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
  /** The first start was planned, and its slot exists. */
  | ({ readonly type: 'planned' } & PlannedStart)
  /** A later connection found that the slot and the offset are valid. */
  | { readonly type: 'resumed'; readonly walId: string | null }
  | { readonly type: 'stream started'; readonly stream: Stream }
  | { readonly type: 'snapshot opened'; readonly opened: OpenedSnapshot<Snapshot> }
  | { readonly type: 'connected' }
  /**
   * The stream was read up to `reached`. `held` tells whether reading stopped before a transaction
   * that is not in the snapshot.
   */
  | { readonly type: 'stream read'; readonly reached: Lsn; readonly held: boolean }
  | {
      readonly type: 'snapshot read'
      readonly progress: SnapshotProgress
      readonly done: boolean
      /** The setting `streaming.delay.ms`. */
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
 * Returns the next state, and the actions of the transition. Has no side effects. An event that
 * does not belong to the phase does not change the state, but the resource in such an event is
 * closed.
 */
export function decide<T, S>(state: SessionState<T, S>, event: SessionEvent<T, S>): Decision<T, S> {
  switch (event.type) {
    case 'planned':
      return state.phase === 'connecting' && state.resume === null
        ? stay({ ...state, resume: firstResume(event) })
        : stay(state)
    case 'resumed':
      return state.phase === 'connecting' && state.resume !== null
        ? stay({ ...state, resume: nextResume(state.resume, event.walId) })
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
  // records are not emitted while connecting
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
