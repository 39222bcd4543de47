/**
 * The maximum time that a start keeps its place, in milliseconds. A module that never finishes
 * loading must not block other starts.
 */
const HOLD_MS = 10_000

/** The place of one start in the gate. The start waits, enters and leaves. */
export interface Place {
  /**
   * Calls `go` as soon as the gate has a free place. If a place is free now, calls `go` before this
   * method returns.
   */
  enter(): void
  /** Frees the place, or leaves the queue. May be called more than once. */
  leave(): void
}

/**
 * Limits how many units start at the same time. Units enter in the order of their `enter` calls.
 * Starting a thread and loading modules need CPU time, so a hundred simultaneous starts would slow
 * down each other, the REST API and a broker in the same process. A unit gives up its place once
 * its modules are loaded, so it does not block others while it waits for a connection.
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

  /** Returns a place whose `go` is called when the unit may start. */
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
