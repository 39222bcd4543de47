import { Signal } from 'millrace/connect'

interface Source {
  pause(): unknown
  resume(): unknown
}

/**
 * Queues the chunks of a socket. Pauses the socket when the queue reaches `maxBytes`. Resumes the
 * socket when the queue has shrunk to half of `maxBytes`.
 */
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

  /**
   * Records that the socket has failed. After the queued chunks have been read, `shift` throws this
   * error.
   */
  fail(error: Error): void {
    this.#failure ??= error
    this.#arrived.notify()
  }

  /**
   * Removes and returns the oldest chunk; null if the queue is empty. Throws the socket's error if
   * the queue is empty and the socket has failed.
   */
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

  /**
   * Waits until a chunk is queued, the socket fails, or `ms` milliseconds have passed. Rejects if
   * `signal` aborts. Only one caller may wait at a time.
   */
  async wait(signal: AbortSignal, ms: number = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.#bytes === 0 && !this.#failure) await this.#arrived.next(ms, signal)
    signal.throwIfAborted()
  }
}
