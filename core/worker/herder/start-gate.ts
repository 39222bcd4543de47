/** How long one start may hold its place, ms: a module that never finishes loading must not keep the others out. */
const HOLD_MS = 10_000

/** One start's place: waited for, held, left. */
export interface Place {
  /** Gives the place back, or gives up waiting for it. May be called again. */
  leave(): void
}

/**
 * Lets a few starts through at a time, in the order they came. Starting a thread and loading modules is work for processors: a
 * hundred at once would starve each other, the REST API and a broker beside them. What merely waits, such as a `start` that
 * connects to somewhere, is to leave first.
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

  /** Calls `go` when there is room: at once, within this call, where there is some already. */
  enter(go: () => void): Place {
    let state: 'waiting' | 'inside' | 'left' = 'waiting'
    let timer: NodeJS.Timeout | null = null
    const leave = () => {
      if (state === 'inside') {
        if (timer) clearTimeout(timer)
        this.#taken--
      }
      state = 'left'
      this.#waiting.delete(admit)
      this.#admit()
    }
    const admit = () => {
      state = 'inside'
      this.#taken++
      timer = setTimeout(leave, this.#holdMs)
      timer.unref()
      go()
    }
    this.#waiting.add(admit)
    this.#admit()
    return { leave }
  }

  #admit(): void {
    for (const admit of this.#waiting) {
      if (this.#taken >= this.#places) return
      this.#waiting.delete(admit)
      admit()
    }
  }
}
