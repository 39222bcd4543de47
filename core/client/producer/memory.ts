import { Signal } from '../../common/async/signal.ts'

/**
 * Enforces `buffer.memory`, the limit for the bytes of records that are not delivered. Wakes
 * callers that wait for free bytes.
 */
export class BufferMemory {
  readonly limit: number
  #used = 0
  /** The size of the last record that did not fit, in bytes. */
  #wanted = 0
  readonly #freed = new Signal()

  constructor(limit: number) {
    this.limit = limit
  }

  /** Takes bytes. Returns false if there are not enough free bytes. */
  take(bytes: number): boolean {
    if (this.#used + bytes > this.limit) {
      this.#wanted = bytes
      return false
    }
    this.#used += bytes
    this.#wanted = 0
    return true
  }

  release(bytes: number): void {
    this.#used -= bytes
    if (this.hasRoom) this.#freed.notify()
  }

  /** Whether the last record that did not fit would fit now. */
  get hasRoom(): boolean {
    return this.#used + this.#wanted <= this.limit
  }

  /** Waits until the last record that did not fit would fit. Rejects with the signal's reason. */
  async room(signal: AbortSignal): Promise<void> {
    while (!this.hasRoom) {
      signal.throwIfAborted()
      await this.#freed.next(Number.POSITIVE_INFINITY, signal)
    }
    signal.throwIfAborted()
  }
}
