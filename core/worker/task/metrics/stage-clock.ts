import type { Stage } from '../../metrics/task-metrics.ts'

/** A stage, or `process`: the part of a batch in which each record is transformed and converted. */
type Activity = Stage | 'process' | null

/** One record in this many is timed to find how `process` divides into transform and convert. */
const TIMED_EVERY = 64
/** When the timed records have taken this long in total, all sums are halved. Milliseconds. */
const REMEMBERED_MS = 100

/**
 * How many seconds a task has spent in each stage. The clock is read when the stage changes, a few
 * times per batch. Transforming and converting alternate for each record. Only one record in 64 is
 * timed, so the shares of the two are estimates.
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
   * Ends the current stage and enters another. Null is for time that belongs to no stage, such as a
   * pause.
   */
  enter(activity: Activity): void {
    const now = performance.now()
    this.#book(now - this.#since)
    this.#activity = activity
    this.#since = now
  }

  /** Whether the next record is to be timed with `timed`. */
  get shouldTime(): boolean {
    return this.#records++ % TIMED_EVERY === 0
  }

  /** Adds the time that the transforms and the converters took for one record, in milliseconds. */
  timed(transformMs: number, convertMs: number): void {
    this.#transformMs += transformMs
    this.#convertMs += convertMs
    if (this.#transformMs + this.#convertMs < REMEMBERED_MS) return
    this.#transformMs /= 2
    this.#convertMs /= 2
  }

  /** Returns the seconds spent in each stage so far. They never decrease. */
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
