/** What responses to fetches may wait to be sent to all clients together, in bytes; beyond it a fetch gives one batch. */
const MAX_UNSENT_BYTES = 256 << 20

/** Bytes that one fetch reads, from before it reads them until its response waits to be sent, where they count by themselves. */
export interface Reservation {
  /** How much may be read. */
  readonly bytes: number
  /** So much was read, which may be more: the first batch is given whatever its size. */
  read(bytes: number): void
  release(): void
}

/** Bounds the records in responses that slow readers have not taken yet. Room is taken before reading, since others read meanwhile. */
export class FetchRoom {
  readonly #unsent: () => number
  readonly #limit: number
  #reserved = 0

  /** `unsent` says how many bytes wait to be sent. */
  constructor(unsent: () => number, limit = MAX_UNSENT_BYTES) {
    this.#unsent = unsent
    this.#limit = limit
  }

  /** Bytes that fetches under way have taken. */
  get reserved(): number {
    return this.#reserved
  }

  /** At most `want`, and what there is if that is less. Has to be released. */
  reserve(want: number): Reservation {
    const bytes = Math.max(0, Math.min(want, this.#limit - this.#reserved - this.#unsent()))
    let held = bytes
    this.#reserved += held
    const hold = (now: number) => {
      this.#reserved += now - held
      held = now
    }
    return { bytes, read: hold, release: () => hold(0) }
  }
}
