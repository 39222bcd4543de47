/**
 * The maximum time that a start keeps its slot, in milliseconds. A module that never finishes
 * loading must not block other starts.
 */
const MAX_SLOT_MS = 10_000

/** The request of one start for a slot of the gate. */
export interface SlotRequest {
  /**
   * Requests a slot, and calls `go` when the start gets it. If a slot is free, calls `go` before
   * this method returns.
   */
  acquire(): void
  /** Frees the slot, or cancels a request that is still waiting. May be called more than once. */
  release(): void
}

/**
 * Limits how many units start at the same time. Each start needs one of the gate's slots. Starts
 * get slots in the order of their `acquire` calls. Starting a thread and loading modules need CPU
 * time. A hundred simultaneous starts would slow each other down, and also the REST API and a
 * broker in the same process. A unit releases its slot when its modules are loaded, so it does not
 * block others while it waits for a connection.
 */
export class StartGate {
  readonly #slots: number
  readonly #maxSlotMs: number
  readonly #waiting = new Set<() => void>()
  #used = 0

  constructor(slots: number, maxSlotMs = MAX_SLOT_MS) {
    this.#slots = slots
    this.#maxSlotMs = maxSlotMs
  }

  /** Returns a request that calls `go` when the unit may start. */
  request(go: () => void): SlotRequest {
    let state: 'new' | 'waiting' | 'admitted' | 'released' = 'new'
    let timer: NodeJS.Timeout | null = null
    const admit = () => {
      state = 'admitted'
      this.#used++
      timer = setTimeout(release, this.#maxSlotMs)
      timer.unref()
      go()
    }
    const acquire = () => {
      if (state !== 'new') return
      state = 'waiting'
      this.#waiting.add(admit)
      this.#admit()
    }
    const release = () => {
      if (state === 'admitted') {
        if (timer) clearTimeout(timer)
        this.#used--
      }
      state = 'released'
      this.#waiting.delete(admit)
      this.#admit()
    }
    return { acquire, release }
  }

  #admit(): void {
    for (const admit of this.#waiting) {
      if (this.#used >= this.#slots) return
      this.#waiting.delete(admit)
      admit()
    }
  }
}
