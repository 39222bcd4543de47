import { createReadStream, fstatSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { isatty, ReadStream } from 'node:tty'

const READ_BYTES = 65_536

/**
 * A stream over a descriptor that can be given up at any moment. Files are read by the thread pool, which is quick; a pipe or a terminal
 * is not, since a read that waits there for somebody to type cannot be cancelled, and holds up the end of its thread.
 */
function streamOf(fd: number): Readable {
  if (isatty(fd)) return new ReadStream(fd)
  const kind = fstatSync(fd)
  if (kind.isFIFO() || kind.isSocket()) return new Socket({ fd, readable: true, writable: false })
  return createReadStream('', { fd, autoClose: false, highWaterMark: READ_BYTES })
}

/** Standard input as bytes, read only as fast as they are taken. */
export class StdinReader {
  readonly #stream: Readable
  #failure: Error | null = null

  constructor(fd = 0) {
    this.#stream = streamOf(fd)
    this.#stream.once('error', error => {
      this.#failure = error
    })
  }

  /** Whether all of it was read. */
  get ended(): boolean {
    return this.#stream.readableEnded
  }

  /** The next bytes; empty when there are none at present. */
  async read(): Promise<Buffer> {
    if (this.#failure) throw this.#failure
    return (this.#stream.read() as Buffer | null) ?? Buffer.alloc(0)
  }

  /** Resolves when there is more or its end is reached, or when the signal aborts; after its end only then. */
  async changed(signal: AbortSignal): Promise<void> {
    const wait = Promise.withResolvers<void>()
    const done = () => wait.resolve()
    const ends = this.ended ? [] : ['readable', 'end', 'error']
    for (const event of ends) this.#stream.once(event, done)
    signal.addEventListener('abort', done, { once: true })
    if (signal.aborted || this.#failure) done()
    await wait.promise
    for (const event of ends) this.#stream.off(event, done)
    signal.removeEventListener('abort', done)
  }

  async close(): Promise<void> {
    this.#stream.destroy()
  }
}
