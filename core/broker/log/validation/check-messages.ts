import type { BatchRules, Verdict } from './rules.ts'

/** Sent to a thread: the batches to check, each at the start of a shared memory block. */
export interface CheckRequest {
  readonly jobs: readonly { readonly memory: SharedArrayBuffer; readonly length: number; readonly rules: BatchRules }[]
}

/** The first message from a thread, when its module is loaded. */
export const READY = 'ready'

/**
 * Sent by a thread: the verdicts for one request, in its order. Rewritten batches have their own
 * memory.
 */
export interface CheckAnswer {
  readonly verdicts: readonly Verdict[]
}
