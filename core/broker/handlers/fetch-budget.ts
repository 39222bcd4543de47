/**
 * The limit for the unsent bytes of all fetch responses together. Above this limit, a fetch returns
 * a single batch.
 */
const MAX_UNSENT_BYTES = 256 << 20

/**
 * The bytes that one fetch may read. They stay reserved until the response is being sent. After
 * that, they count as unsent bytes.
 */
export interface Reservation {
  /** The number of bytes that the fetch may read. */
  readonly bytes: number
  /**
   * Records how many bytes the fetch has read. The number may exceed the reservation, because the
   * first batch is returned whatever its size.
   */
  read(bytes: number): void
  release(): void
}

/**
 * Bounds the memory of the fetch responses that slow clients have not read yet. A fetch reserves
 * bytes before it reads, because other fetches may read at the same time.
 */
export class FetchBudget {
  readonly #unsent: () => number
  readonly #limit: number
  #reserved = 0

  /** `unsent` returns the number of unsent bytes on all connections. */
  constructor(unsent: () => number, limit = MAX_UNSENT_BYTES) {
    this.#unsent = unsent
    this.#limit = limit
  }

  /** The number of bytes that fetches in progress have reserved. */
  get reserved(): number {
    return this.#reserved
  }

  /** Reserves `want` bytes, or as many as are left. The caller must release the reservation. */
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
