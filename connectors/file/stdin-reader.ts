import { createReadStream, fstatSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { isatty, ReadStream } from 'node:tty'

const READ_BYTES = 65_536

/**
 * Returns a stream over a file descriptor. The stream can be closed at any time. Only files are
 * read in the thread pool, because reads of files are fast. A read of a pipe or a terminal in the
 * thread pool could not be cancelled while it waits for input, and would keep the thread alive.
 */
function streamOf(fd: number): Readable {
  if (isatty(fd)) return new ReadStream(fd)
  const kind = fstatSync(fd)
  if (kind.isFIFO() || kind.isSocket()) return new Socket({ fd, readable: true, writable: false })
  return createReadStream('', { fd, autoClose: false, highWaterMark: READ_BYTES })
}

/** Reads bytes from standard input, only as fast as the caller takes them. */
export class StdinReader {
  readonly #stream: Readable
  #failure: Error | null = null

  constructor(fd = 0) {
    this.#stream = streamOf(fd)
    this.#stream.once('error', error => {
      this.#failure = error
    })
  }

  /** Whether all input has been read. */
  get ended(): boolean {
    return this.#stream.readableEnded
  }

  /** Returns the next bytes, or an empty buffer if no bytes are available yet. */
  async read(): Promise<Buffer> {
    if (this.#failure) throw this.#failure
    return (this.#stream.read() as Buffer | null) ?? Buffer.alloc(0)
  }

  /**
   * Resolves when more input can be read, at the end of the input, or when the signal aborts. After
   * the end of the input, resolves only when the signal aborts.
   */
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
