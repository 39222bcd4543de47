import { closeSync, openSync, writeSync } from 'node:fs'
import { setImmediate } from 'node:timers'

/**
 * The maximum number of characters that wait for a slow reader. Entries beyond this limit are
 * dropped and counted.
 */
const MAX_WAITING = 4 * 1024 * 1024
/**
 * Entries are written at the end of the event loop's turn, or when this many characters are
 * waiting.
 */
const WRITE_AT = 16 * 1024
/** The interval at which a write to a full pipe is tried again, in milliseconds. */
const RETRY_MS = 20
/** The time to wait at exit for the reader of a full pipe, in milliseconds. */
const EXIT_LIMIT_MS = 2000

export interface LogOutputOptions {
  /** Called once writing works again, with the number of entries that were dropped. */
  readonly onDropped: (count: number) => void
  /**
   * Called when a write fails, for example on a full disk. Later entries are still written if
   * possible.
   */
  readonly onError: (error: NodeJS.ErrnoException) => void
}

/**
 * Writes the entries of the log to a file or a file descriptor. Entries of the same turn of the
 * event loop are usually written with one system call. A full pipe does not block the process:
 * entries wait in a bounded buffer until the reader continues. At exit, the remaining entries are
 * written, also after an uncaught exception.
 */
export class LogOutput {
  readonly #fd: number
  readonly #o: LogOutputOptions
  readonly #onExit = () => this.flushSync()
  /** The bytes that a full pipe did not accept. */
  #left: Buffer = Buffer.alloc(0)
  /** The text of the entries that follow `#left`. */
  #text = ''
  #entries = 0
  #scheduled = false
  #retry: NodeJS.Timeout | null = null
  #dropped = 0
  #exiting = false
  #closed = false

  /** Throws if the file cannot be opened. */
  constructor(destination: string | number, options: LogOutputOptions) {
    this.#o = options
    // Node makes the pipe non-blocking when it creates the stream `process.stderr`.
    if (destination === 2) void process.stderr
    this.#fd = typeof destination === 'string' ? openSync(destination, 'a') : destination
    process.on('exit', this.#onExit)
  }

  /** Appends one entry. */
  write(text: string): void {
    if (this.#closed) return
    if (this.#left.length + this.#text.length + text.length > MAX_WAITING) {
      this.#dropped++
      return
    }
    this.#text += text
    this.#entries++
    if (this.#exiting) this.flushSync()
    else if (this.#retry) return
    else if (this.#text.length >= WRITE_AT) this.#flush()
    else if (!this.#scheduled) {
      this.#scheduled = true
      setImmediate(() => {
        this.#scheduled = false
        if (!this.#retry) this.#flush()
      })
    }
  }

  /** Writes all entries synchronously, at the end of the process. */
  flushSync(): void {
    this.#exiting = true
    const deadline = Date.now() + EXIT_LIMIT_MS
    while (!this.#flush() && Date.now() < deadline) {
      // At exit nothing else is running, so blocking the thread is safe.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS)
    }
  }

  /** Writes everything and closes the file. */
  end(): void {
    this.flushSync()
    this.#close()
    if (this.#fd > 2) closeSync(this.#fd)
  }

  /**
   * Writes until a pipe is full. Returns true if nothing is left to write: everything was written,
   * or was dropped because of an error.
   */
  #flush(): boolean {
    if (this.#closed) return true
    try {
      while (this.#left.length + this.#text.length > 0) {
        if (this.#left.length === 0) {
          this.#left = Buffer.from(this.#text)
          this.#text = ''
        }
        this.#left = this.#left.subarray(writeSync(this.#fd, this.#left))
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EAGAIN') {
        if (!this.#exiting) this.#retryLater()
        return false
      }
      // The reader has closed the pipe, or the descriptor is not open. Later writes would fail too.
      if (code === 'EPIPE' || code === 'EBADF') this.#close()
      this.#left = Buffer.alloc(0)
      this.#text = ''
      this.#dropped += this.#entries
      this.#entries = 0
      this.#o.onError(error as NodeJS.ErrnoException)
      return true
    }
    const dropped = this.#dropped
    this.#dropped = this.#entries = 0
    if (dropped > 0) this.#o.onDropped(dropped)
    return true
  }

  #retryLater(): void {
    this.#retry ??= setTimeout(() => {
      this.#retry = null
      this.#flush()
    }, RETRY_MS)
  }

  #close(): void {
    this.#closed = true
    if (this.#retry) clearTimeout(this.#retry)
    process.removeListener('exit', this.#onExit)
  }
}
