import type { SourceLag } from 'millrace/connect'

export interface FileLagSource {
  /** Bytes of the file that were not read; null while it is not open. */
  unread(): Promise<number | null>
  /** Bytes that were read, but not yet returned as lines. */
  buffered(): number
}

/** How far a task is behind the end of its file. */
export class FileLag {
  /**
   * Whether the task waits for the file to grow. While it does, its buffer contains only an
   * unfinished line.
   */
  waiting = false
  readonly #source: FileLagSource
  #unread: number | null = null
  #refreshing = false
  /** When the task last had read everything; at first, when it started. */
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
      // the task itself reports a file that cannot be read
      this.#unread = null
    } finally {
      this.#refreshing = false
    }
  }

  /** Returns the lag; null while the size of the file is unknown. */
  read(): SourceLag | null {
    if (this.#unread === null) return null
    if (this.waiting && this.#unread === 0) {
      this.#since = Date.now()
      return { bytes: 0, since: null }
    }
    return { bytes: this.#unread + this.#source.buffered(), since: this.#since }
  }
}
