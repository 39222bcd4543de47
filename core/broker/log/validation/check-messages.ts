import type { BatchRules, Verdict } from './rules.ts'

/** To a thread: batches to check, each at the beginning of shared memory. */
export interface CheckRequest {
  readonly jobs: readonly { readonly memory: SharedArrayBuffer; readonly length: number; readonly rules: BatchRules }[]
}

/** From a thread, first of all: it has loaded what it runs. */
export const READY = 'ready'

/**
 * From a thread: the verdicts of one request, in its order. Rewritten batches have memory of their
 * own.
 */
export interface CheckAnswer {
  readonly verdicts: readonly Verdict[]
}
