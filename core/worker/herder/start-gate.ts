/**
 * The longest time that one start keeps its place, ms. A module that never loads must not block the
 * others.
 */
const HOLD_MS = 10_000

/** The place of one start: it waits, is inside, and leaves. */
export interface Place {
  /** Calls `go` as soon as a place is free: within this call, if one is free already. */
  enter(): void
  /** Frees the place, or stops waiting for it. Safe to call twice. */
  leave(): void
}

/**
 * Limits how many units start at the same time, in the order of their `enter` calls. Starting a
 * thread and loading modules needs CPU time: a hundred starts at once would slow down each other,
 * the REST API and a broker in the same process. A unit leaves before it only waits, for example
 * for a connection.
 */
export class StartGate {
  readonly #places: number
  readonly #holdMs: number
  readonly #waiting = new Set<() => void>()
  #taken = 0

  constructor(places: number, holdMs = HOLD_MS) {
    this.#places = places
    this.#holdMs = holdMs
  }

  /** Returns a place that calls `go` when the start may begin. */
  place(go: () => void): Place {
    let state: 'new' | 'waiting' | 'inside' | 'left' = 'new'
    let timer: NodeJS.Timeout | null = null
    const admit = () => {
      state = 'inside'
      this.#taken++
      timer = setTimeout(leave, this.#holdMs)
      timer.unref()
      go()
    }
    const enter = () => {
      if (state !== 'new') return
      state = 'waiting'
      this.#waiting.add(admit)
      this.#admit()
    }
    const leave = () => {
      if (state === 'inside') {
        if (timer) clearTimeout(timer)
        this.#taken--
      }
      state = 'left'
      this.#waiting.delete(admit)
      this.#admit()
    }
    return { enter, leave }
  }

  #admit(): void {
    for (const admit of this.#waiting) {
      if (this.#taken >= this.#places) return
      this.#waiting.delete(admit)
      admit()
    }
  }
}
