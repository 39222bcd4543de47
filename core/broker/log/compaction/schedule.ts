import { messageOf } from '../../../common/errors/error-table.ts'
import type { Logger } from '../../../common/log.ts'

/** A log that the schedule can compact. */
export interface Compactable {
  readonly topic: string
  readonly partition: number
  compactionDue(now: number): number
  compact(now: number, o: { maxMapBytes: number; isStopped: () => boolean }): Promise<void>
}

/** The delay before the next attempt after a failed compaction, in milliseconds. */
const RETRY_MS = 600_000

/**
 * Compacts logs in the background, one at a time. The log with the highest dirty ratio is first.
 */
export class CompactionSchedule {
  readonly #logger: Logger
  readonly #backoffMs: number
  readonly #maxMapBytes: number
  readonly #retryAt = new WeakMap<Compactable, number>()
  #lastCheck = Number.NEGATIVE_INFINITY
  #running: Promise<void> | null = null
  #isStopped = false

  constructor(logger: Logger, o: { backoffMs: number; maxMapBytes: number }) {
    this.#logger = logger
    this.#backoffMs = o.backoffMs
    this.#maxMapBytes = o.maxMapBytes
  }

  /**
   * Starts to compact the logs that are due, unless a compaction is running. Does not wait for the
   * compaction.
   */
  tick(now: number, logs: () => readonly Compactable[]): void {
    if (this.#isStopped || this.#running !== null || now - this.#lastCheck < this.#backoffMs) return
    this.#lastCheck = now
    this.#running = this.#run(now, logs).finally(() => {
      this.#running = null
    })
  }

  /** Resolves when no compaction is running. */
  async idle(): Promise<void> {
    await this.#running
  }

  /** Aborts the running compaction. Resolves when the compaction has removed its files. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  async #run(now: number, logs: () => readonly Compactable[]): Promise<void> {
    const done = new Set<Compactable>()
    while (!this.#isStopped) {
      const next = this.#dirtiest(
        now,
        logs().filter(l => !done.has(l)),
      )
      if (next === null) return
      done.add(next)
      try {
        await next.compact(now, { maxMapBytes: this.#maxMapBytes, isStopped: () => this.#isStopped })
      } catch (error) {
        this.#failed(next, now, error)
      }
    }
  }

  #failed(log: Compactable, now: number, error: unknown): void {
    this.#retryAt.set(log, now + RETRY_MS)
    const name = `${log.topic}-${log.partition}`
    this.#logger.error(`${name}: compaction failed. The next attempt is in ten minutes: ${messageOf(error)}`, error)
  }

  #dirtiest(now: number, logs: readonly Compactable[]): Compactable | null {
    let best: Compactable | null = null
    let max = -1
    for (const log of logs) {
      if ((this.#retryAt.get(log) ?? 0) > now) continue
      try {
        const due = log.compactionDue(now)
        if (due <= max) continue
        max = due
        best = log
      } catch (error) {
        this.#failed(log, now, error)
      }
    }
    return max < 0 ? null : best
  }
}
