import { Signal } from '../../common/async/signal.ts'
import type { Resolved } from './fetch-read.ts'

/** Returns the number of bytes that the client can read from a partition now, at most `cap`. */
export function available({ log, target }: Resolved, cap: number, readCommitted: boolean): number {
  if (!log) return 0
  if (readCommitted && target.fetchOffset >= log.lastStableOffset) return 0
  return log.bytesAvailable(target.fetchOffset, Math.min(cap, target.maxBytes))
}

/**
 * Whether the fetch must be answered immediately, because of an error or an offset outside the log.
 */
function isUrgent({ log, target, divergingEpoch }: Resolved): boolean {
  return (
    !log ||
    divergingEpoch !== undefined ||
    target.fetchOffset < log.logStartOffset ||
    target.fetchOffset > log.logEndOffset
  )
}

interface WaitOptions {
  readonly minBytes: number
  readonly maxWaitMs: number
  readonly readCommitted: boolean
  readonly signal: AbortSignal
  /** Whether the partition was deleted, or its log was replaced. */
  wasRemoved(partition: Resolved): boolean
}

/**
 * Resolves when `minBytes` bytes can be read, when a partition must be answered immediately, when
 * `maxWaitMs` milliseconds have passed, or when the signal is aborted. Uses one timer for all
 * partitions. Logs send a notification when they grow. Returns null if no wait is needed.
 */
export function waitForBytes(partitions: readonly Resolved[], o: WaitOptions): Promise<void> | null {
  const { minBytes, maxWaitMs, readCommitted, signal, wasRemoved } = o
  if (minBytes <= 0 || maxWaitMs <= 0 || partitions.length === 0 || signal.aborted) return null
  if (partitions.some(isUrgent)) return null
  let sum = 0
  const parts = new Array<number>(partitions.length)
  for (const [i, p] of partitions.entries()) {
    parts[i] = available(p, minBytes, readCommitted)
    sum += parts[i]
    if (sum >= minBytes) return null
  }
  const finished = new Signal()
  const stops = partitions.map((p, i) =>
    p.log!.onAdvance(() => {
      const now = available(p, minBytes, readCommitted)
      sum += now - parts[i]!
      parts[i] = now
      if (sum >= minBytes || isUrgent(p) || wasRemoved(p)) finished.notify()
    }),
  )
  return finished.next(maxWaitMs, signal).finally(() => {
    for (const stop of stops) stop()
  })
}
