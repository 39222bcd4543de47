import type { BatchRules, Verdict } from './rules.ts'

/**
 * A message to a thread with the batches to check. Each batch is at the start of a shared memory
 * block.
 */
export interface CheckRequest {
  readonly jobs: readonly { readonly memory: SharedArrayBuffer; readonly length: number; readonly rules: BatchRules }[]
}

/** The first message from a thread, which it sends when its module is loaded. */
export const READY = 'ready'

/**
 * The answer of a thread to a CheckRequest, with the verdicts in the order of the jobs. Rewritten
 * batches are not in the shared memory blocks, but in new buffers.
 */
export interface CheckAnswer {
  readonly verdicts: readonly Verdict[]
}
