import { messageOf } from '../../../common/errors/error-table.ts'
import type { Logger } from '../../../common/log.ts'

/** A log as far as the schedule is concerned. */
export interface Compactable {
  readonly topic: string
  readonly partition: number
  compactionDue(now: number): number
  compact(now: number, o: { maxMapBytes: number; isStopped: () => boolean }): Promise<void>
}

/** A log whose compaction failed is left alone for so long. */
const RETRY_MS = 600_000

/** Compacts one log at a time in the background, the dirtiest first. */
export class CompactionSchedule {
  readonly #logger: Logger
  readonly #backoffMs: number
  readonly #maxMapBytes: number
  readonly #retryAt = new WeakMap<Compactable, number>()
  #lastLook = Number.NEGATIVE_INFINITY
  #running: Promise<void> | null = null
  #isStopped = false

  constructor(logger: Logger, o: { backoffMs: number; maxMapBytes: number }) {
    this.#logger = logger
    this.#backoffMs = o.backoffMs
    this.#maxMapBytes = o.maxMapBytes
  }

  /** Begins to compact what is due, unless it is still at it. Does not wait for the end. */
  tick(now: number, logs: () => readonly Compactable[]): void {
    if (this.#isStopped || this.#running !== null || now - this.#lastLook < this.#backoffMs) return
    this.#lastLook = now
    this.#running = this.#run(now, logs).finally(() => {
      this.#running = null
    })
  }

  /** Resolves when nothing is being compacted. */
  async idle(): Promise<void> {
    await this.#running
  }

  /** Breaks off what is being done; it leaves no trace. */
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
    this.#logger.error(`${name}: compaction failed and is tried again later: ${messageOf(error)}`, error)
  }

  #dirtiest(now: number, logs: readonly Compactable[]): Compactable | null {
    let best: Compactable | null = null
    let most = -1
    for (const log of logs) {
      if ((this.#retryAt.get(log) ?? 0) > now) continue
      try {
        const due = log.compactionDue(now)
        if (due <= most) continue
        most = due
        best = log
      } catch (error) {
        this.#failed(log, now, error)
      }
    }
    return most < 0 ? null : best
  }
}
