import { Signal } from 'millrace/connect'

interface Source {
  pause(): unknown
  resume(): unknown
}

/** Chunks of a socket in the order they came, bounded in bytes: past the bound the source is paused until half is gone. */
export class ChunkQueue {
  readonly #source: Source
  readonly #maxBytes: number
  #chunks: Buffer[] = []
  #head = 0
  #bytes = 0
  #paused = false
  #failure: Error | null = null
  readonly #arrived = new Signal()

  constructor(source: Source, maxBytes: number) {
    this.#source = source
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  get isEmpty(): boolean {
    return this.#bytes === 0
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (!this.#paused && this.#bytes >= this.#maxBytes) {
      this.#paused = true
      this.#source.pause()
    }
    this.#arrived.notify()
  }

  /** The source is over; what is queued can still be taken, then `shift` and `wait` throw this error. */
  fail(error: Error): void {
    this.#failure ??= error
    this.#arrived.notify()
  }

  /** The oldest chunk, or null. Throws when there is none and the source has failed. */
  shift(): Buffer | null {
    if (this.#head === this.#chunks.length) {
      if (this.#failure) throw this.#failure
      return null
    }
    const chunk = this.#chunks[this.#head]!
    this.#head++
    if (this.#head === this.#chunks.length) {
      this.#chunks = []
      this.#head = 0
    } else if (this.#head === 1024) {
      this.#chunks = this.#chunks.slice(1024)
      this.#head = 0
    }
    this.#bytes -= chunk.length
    if (this.#paused && this.#bytes <= this.#maxBytes / 2) {
      this.#paused = false
      this.#source.resume()
    }
    return chunk
  }

  /** Resolves when there is something to take (or a failure to throw), when `ms` have passed, and when `signal` aborts. One at a time. */
  async wait(signal: AbortSignal, ms: number = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.#bytes === 0 && !this.#failure) await this.#arrived.next(ms, signal)
    signal.throwIfAborted()
  }
}
