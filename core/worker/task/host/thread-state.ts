import { messageOf } from '../../../common/errors/error-table.ts'
import { errors } from '../errors.ts'
import { failureOf } from '../failures/failure.ts'
import type { Failure } from './messages-out.ts'

/** The state of a worker thread, as known to its host. */
export type ThreadState =
  | { readonly phase: 'running' }
  /** The host has requested the end of the thread. */
  | { readonly phase: 'stopping' }
  /** A unit did not stop within `ms`, so the thread is being terminated. */
  | { readonly phase: 'hung'; readonly unit: string; readonly ms: number }
  /** An uncaught error ended the thread, or the host is terminating it because of `error`. */
  | { readonly phase: 'crashed'; readonly error: Error }
  /** The thread has exited. Requests fail with `cause`. */
  | { readonly phase: 'ended'; readonly cause: Failure }

export type EndReason = Extract<ThreadState, { phase: 'hung' | 'crashed' }>

/**
 * Returns the state after a thread has hung or crashed. Only the first reason is kept, because
 * later reasons are consequences of the first one.
 */
export function afterEndReason(state: ThreadState, reason: EndReason): ThreadState {
  return state.phase === 'running' || state.phase === 'stopping' ? reason : state
}

export interface ThreadLimits {
  readonly thread: string
  readonly maxHeapMb: number
}

/**
 * Returns the failure of a thread that exited with `code` in this state. Returns null if the host
 * requested the end, or terminated the thread because a unit hung.
 */
export function exitFailure(state: ThreadState, code: number, limits: ThreadLimits): Failure | null {
  const { thread, maxHeapMb } = limits
  switch (state.phase) {
    case 'running':
      return failureOf(errors.create('MR_TASK_THREAD_ENDED', { thread, code }))
    case 'stopping':
    case 'hung':
      return null
    case 'crashed': {
      const cause = state.error
      const errorCode = 'code' in cause ? String(cause.code) : ''
      if (errorCode === 'ERR_WORKER_OUT_OF_MEMORY')
        return failureOf(errors.create('MR_TASK_THREAD_MEMORY', { thread, limit: maxHeapMb }, { cause }))
      if (errorCode.startsWith('MR_TASK_')) return failureOf(cause)
      return failureOf(errors.create('MR_TASK_THREAD_CRASHED', { thread, cause: messageOf(cause) }, { cause }))
    }
    case 'ended':
      return state.cause
  }
}

/** Returns the failure of a unit whose thread exited in this state with the failure `cause`. */
export function unitFailure(state: ThreadState, unit: string, cause: Failure, thread: string): Failure {
  if (state.phase !== 'hung') return cause
  if (state.unit === unit) return failureOf(errors.create('MR_TASK_HUNG', { unit, ms: state.ms }))
  return failureOf(errors.create('MR_TASK_NEIGHBOUR', { thread, unit: state.unit }))
}
