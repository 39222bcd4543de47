import { Signal } from '../../common/async/signal.ts'

/**
 * `buffer.memory`: limits the bytes of records that wait, and wakes callers that wait for free
 * bytes.
 */
export class BufferMemory {
  readonly limit: number
  #used = 0
  /** The bytes of the record that was refused last. */
  #wanted = 0
  readonly #freed = new Signal()

  constructor(limit: number) {
    this.limit = limit
  }

  /** Takes bytes. Returns false if too few are free. */
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

  /** Whether the record that was refused last fits now. */
  get hasRoom(): boolean {
    return this.#used + this.#wanted <= this.limit
  }

  /** Waits until that record fits. Rejects with the signal's reason. */
  async room(signal: AbortSignal): Promise<void> {
    while (!this.hasRoom) {
      signal.throwIfAborted()
      await this.#freed.next(Number.POSITIVE_INFINITY, signal)
    }
    signal.throwIfAborted()
  }
}
