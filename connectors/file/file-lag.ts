import type { SourceLag } from 'millrace/connect'

export interface FileLagSource {
  /**
   * Returns the number of bytes of the file that were not read, or null while the file is not open.
   */
  unread(): Promise<number | null>
  /** Returns the number of bytes that were read, but not yet returned as lines. */
  buffered(): number
}

/** Computes how far a task is behind the end of its file. */
export class FileLag {
  /**
   * Whether the task waits for the file to grow. Its buffer then contains only an unfinished line.
   */
  waiting = false
  readonly #source: FileLagSource
  #unread: number | null = null
  #refreshing = false
  /**
   * The last time at which the task had read everything. Initially, this is the time of the start.
   */
  #since = Date.now()

  constructor(source: FileLagSource) {
    this.#source = source
  }

  /** Reads the size of the file in the background. Never throws. */
  async refresh(): Promise<void> {
    if (this.#refreshing) return
    this.#refreshing = true
    try {
      this.#unread = await this.#source.unread()
    } catch {
      // The task itself reports a file that cannot be read.
      this.#unread = null
    } finally {
      this.#refreshing = false
    }
  }

  /** Returns the lag, or null while the size of the file is unknown. */
  read(): SourceLag | null {
    if (this.#unread === null) return null
    const buffered = this.#source.buffered()
    // A paused task does not wait, because its `poll` is not called.
    if (this.#unread === 0 && (this.waiting || buffered === 0)) {
      this.#since = Date.now()
      return { bytes: 0, since: null }
    }
    return { bytes: this.#unread + buffered, since: this.#since }
  }
}
