import { expect, test } from 'vitest'
import { failureOf } from '../failures/failure.ts'
import { afterEndReason, type EndReason, exitFailure, type ThreadState, unitFailure } from './thread-state.ts'

const limits = { thread: 't', maxHeapMb: 48 }
const running: ThreadState = { phase: 'running' }
const hung: EndReason = { phase: 'hung', unit: 'task:c-0', ms: 5 }
const crashed = (error: Error): EndReason => ({ phase: 'crashed', error })
const withCode = (code: string) => Object.assign(new Error(code), { code })

test.each<[string, ThreadState, string | null]>([
  ['exits without being asked', running, 'MR_TASK_THREAD_ENDED'],
  ['exits as requested', { phase: 'stopping' }, null],
  ['is terminated because a unit hangs', hung, null],
  ['runs out of heap', crashed(withCode('ERR_WORKER_OUT_OF_MEMORY')), 'MR_TASK_THREAD_MEMORY'],
  ['reports its own reason', crashed(withCode('MR_TASK_BLOCKED')), 'MR_TASK_BLOCKED'],
  ['throws an uncaught error', crashed(withCode('ENOENT')), 'MR_TASK_THREAD_CRASHED'],
])('the failure of a thread that %s', (_what, state, code) => {
  expect(exitFailure(state, 3, limits)?.code ?? null).toBe(code)
})

test('only the first reason for the end of a thread is kept', () => {
  const first = afterEndReason({ phase: 'stopping' }, hung)
  expect(first).toBe(hung)
  expect(afterEndReason(first, crashed(new Error('later')))).toBe(hung)
  const ended: ThreadState = { phase: 'ended', cause: failureOf(new Error('cause')) }
  expect(afterEndReason(ended, hung)).toBe(ended)
})

test('only the unit that hangs fails with MR_TASK_HUNG, and the other units fail with a retriable error', () => {
  const cause = failureOf(new Error('cause'))
  expect(unitFailure(hung, 'task:c-0', cause, 't')).toMatchObject({ code: 'MR_TASK_HUNG', retriable: false })
  expect(unitFailure(hung, 'task:c-1', cause, 't')).toMatchObject({ code: 'MR_TASK_NEIGHBOUR', retriable: true })
  expect(unitFailure(running, 'task:c-1', cause, 't')).toBe(cause)
})
