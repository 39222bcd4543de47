import { createReadStream } from 'node:fs'

/** Standard input as bytes, read only as fast as they are taken. */
export class StdinReader {
  readonly #stream = createReadStream('', { fd: 0, autoClose: false, highWaterMark: 65_536 })
  readonly #signal: AbortSignal
  #ended = false
  #failure: Error | null = null

  constructor(signal: AbortSignal) {
    this.#signal = signal
    this.#stream.once('end', () => {
      this.#ended = true
    })
    this.#stream.once('error', error => {
      this.#failure = error
    })
  }

  async read(): Promise<Buffer> {
    if (this.#failure) throw this.#failure
    return (this.#stream.read() as Buffer | null) ?? Buffer.alloc(0)
  }

  /** Resolves when there is more, or when the signal aborts: at its end there never is. */
  async readable(): Promise<void> {
    const wait = Promise.withResolvers<void>()
    const done = () => wait.resolve()
    if (!this.#ended) {
      this.#stream.once('readable', done)
      this.#stream.once('error', done)
    }
    this.#signal.addEventListener('abort', done, { once: true })
    if (this.#signal.aborted) done()
    await wait.promise
    this.#stream.off('readable', done)
    this.#stream.off('error', done)
    this.#signal.removeEventListener('abort', done)
  }

  async close(): Promise<void> {
    this.#stream.destroy()
  }
}
