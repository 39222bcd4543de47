import { Signal } from '../../common/async/signal.ts'

/** `buffer.memory`: how many bytes of records may wait, and who waits for room. */
export class BufferMemory {
  readonly limit: number
  used = 0
  /** What the last refused record would have taken. */
  #wanted = 0
  readonly #freed = new Signal()

  constructor(limit: number) {
    this.limit = limit
  }

  /** Takes bytes; false when there is no room for them. */
  take(bytes: number): boolean {
    if (this.used + bytes > this.limit) {
      this.#wanted = bytes
      return false
    }
    this.used += bytes
    this.#wanted = 0
    return true
  }

  release(bytes: number): void {
    this.used -= bytes
    if (this.hasRoom) this.#freed.notify()
  }

  /** Whether the record that was refused last would be taken now. */
  get hasRoom(): boolean {
    return this.used + this.#wanted <= this.limit
  }

  /** Waits until there is room. Rejects with the signal's reason. */
  async room(signal: AbortSignal): Promise<void> {
    while (!this.hasRoom) {
      signal.throwIfAborted()
      await this.#freed.next(1000, signal)
    }
    signal.throwIfAborted()
  }
}
