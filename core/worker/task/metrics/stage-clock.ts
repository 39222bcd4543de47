import type { Stage } from '../../metrics/task-metrics.ts'

/**
 * A stage, or `process`, which is the part of a batch in which each record is transformed and
 * converted.
 */
type Activity = Stage | 'process' | null

/**
 * Of this number of records, one is timed to estimate how `process` divides into transform and
 * convert.
 */
const TIMED_EVERY = 64
/**
 * The limit, in ms, of the total time that is stored for timed records. At this limit, the stored
 * transform and convert times are halved, so that recent records count more.
 */
const REMEMBERED_MS = 100

/**
 * Measures the seconds that a task spends in each stage. The clock is read only when the stage
 * changes, a few times per batch. Within a batch, each record is transformed and converted. Only
 * one record in 64 is timed, so the shares of these two stages are estimates.
 */
export class StageClock {
  readonly #ms = new Map<Stage, number>()
  #activity: Activity = null
  #since = 0
  #records = 0
  #transformMs = 0
  #convertMs = 0

  constructor(stages: readonly Stage[]) {
    for (const stage of stages) this.#ms.set(stage, 0)
  }

  get activity(): Activity {
    return this.#activity
  }

  /**
   * Ends the current stage and enters another. Null means that the following time belongs to no
   * stage, for example during a pause.
   */
  enter(activity: Activity): void {
    const now = performance.now()
    this.#book(now - this.#since)
    this.#activity = activity
    this.#since = now
  }

  /** Whether the next record should be timed. The times are then passed to `timed`. */
  get shouldTime(): boolean {
    return this.#records++ % TIMED_EVERY === 0
  }

  /** Adds the milliseconds that one record's transformations and converters have taken. */
  timed(transformMs: number, convertMs: number): void {
    this.#transformMs += transformMs
    this.#convertMs += convertMs
    if (this.#transformMs + this.#convertMs < REMEMBERED_MS) return
    this.#transformMs /= 2
    this.#convertMs /= 2
  }

  /** Returns the seconds spent in each stage so far. The values never decrease. */
  seconds(): [Stage, number][] {
    this.enter(this.#activity)
    return [...this.#ms].map(([stage, ms]) => [stage, ms / 1000])
  }

  #book(passedMs: number): void {
    const activity = this.#activity
    if (activity === null) return
    if (activity !== 'process') {
      this.#add(activity, passedMs)
      return
    }
    const timed = this.#transformMs + this.#convertMs
    const transform = timed === 0 ? 0 : (passedMs * this.#transformMs) / timed
    this.#add('transform', transform)
    this.#add('convert', passedMs - transform)
  }

  #add(stage: Stage, ms: number): void {
    this.#ms.set(stage, (this.#ms.get(stage) ?? 0) + ms)
  }
}
