import type { Resolved } from './fetch-read.ts'

/** Bytes that a reader could get of a partition now, at most `cap`. */
export function available({ log, target }: Resolved, cap: number, readCommitted: boolean): number {
  if (!log) return 0
  if (readCommitted && target.fetchOffset >= log.lastStableOffset) return 0
  return log.bytesAvailable(target.fetchOffset, Math.min(cap, target.maxBytes))
}

/** Whether something must be told at once: an error, or an offset outside of the log. */
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
  /** The partition was deleted, or its log is another one. */
  isGone(partition: Resolved): boolean
}

/**
 * Resolves when at least `minBytes` can be read, when there is something to tell at once, after `maxWaitMs` milliseconds, or when the signal is
 * aborted. One timer for all partitions; the logs call when they grow. Null: there is nothing to wait for.
 */
export function waitForBytes(partitions: readonly Resolved[], o: WaitOptions): Promise<void> | null {
  const { minBytes, maxWaitMs, readCommitted, signal, isGone } = o
  if (minBytes <= 0 || maxWaitMs <= 0 || partitions.length === 0 || signal.aborted) return null
  if (partitions.some(isUrgent)) return null
  let sum = 0
  const parts = new Array<number>(partitions.length)
  for (const [i, p] of partitions.entries()) {
    parts[i] = available(p, minBytes, readCommitted)
    sum += parts[i]
    if (sum >= minBytes) return null
  }
  return new Promise(resolve => {
    const stops: (() => void)[] = []
    const finish = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', finish)
      for (const stop of stops.splice(0)) stop()
      resolve()
    }
    const timer = setTimeout(finish, maxWaitMs)
    signal.addEventListener('abort', finish)
    for (const [i, p] of partitions.entries()) {
      const stop = p.log!.onAdvance(() => {
        const now = available(p, minBytes, readCommitted)
        sum += now - parts[i]!
        parts[i] = now
        if (sum >= minBytes || isUrgent(p) || isGone(p)) finish()
      })
      stops.push(stop)
    }
  })
}
