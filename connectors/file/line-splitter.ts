const LF = 10
const CR = 13

/** A line and the position of the next line. */
export interface Line {
  readonly text: string
  /** The position after the end of this line, in bytes from the beginning of the file. */
  readonly end: number
}

/**
 * Splits bytes into lines at LF, CR LF and CR, as Kafka's source does. Unlike Kafka's source,
 * counts positions in bytes. Decodes only complete lines, so a character may be split between two
 * reads. Buffers at most one read and one unfinished line.
 */
export class LineSplitter {
  #bytes: Buffer = Buffer.alloc(0)
  /**
   * The buffer that joins several reads of one line, or null. `#bytes` is the beginning of this
   * buffer. The size doubles as needed.
   */
  #own: Buffer | null = null
  #at = 0
  /** The position of `#bytes[#at]` in the file. */
  #position: number
  /** There is no line end in `#bytes` between `#at` and this index. */
  #searched = 0
  /**
   * The indexes of the next LF and the next CR in `#bytes`. -1 means none, and -2 means not
   * searched yet. They are kept, so that bytes without a CR or without an LF are not searched for
   * it at every line.
   */
  #nextLf = -2
  #nextCr = -2
  #overlong = false
  #skipping = false
  /** The number of discarded bytes of the skipped line. */
  #skipped = 0
  readonly #limit: number

  /** `limit` is the maximum length of a line, in bytes, without the line end. */
  constructor(position: number, limit = Number.POSITIVE_INFINITY) {
    this.#position = position
    this.#limit = limit
  }

  /** The position of the next line, in bytes. */
  get position(): number {
    return this.#position
  }

  /** The number of bytes after the last line that `take` returned. */
  get pending(): number {
    return this.#bytes.length - this.#at
  }

  /**
   * Whether the line at `position` is longer than the limit. `take` returns neither this line nor a
   * later one.
   */
  get overlong(): boolean {
    return this.#overlong
  }

  /**
   * Whether the line at `position` is being skipped. `skipLine` then discards its bytes as they
   * arrive.
   */
  get skipping(): boolean {
    return this.#skipping
  }

  /** Starts to skip the line at `position`, which is longer than the limit. */
  skip(): void {
    this.#overlong = false
    this.#skipping = true
    this.#skipped = 0
  }

  /**
   * Discards bytes of the skipped line. Returns true at the end of the line. `position` is then the
   * start of the next line.
   */
  skipLine(): boolean {
    const bytes = this.#bytes
    const rest = bytes.subarray(this.#at)
    const lf = rest.indexOf(LF)
    const cr = rest.subarray(0, lf < 0 ? rest.length : lf).indexOf(CR)
    const end = cr >= 0 ? cr : lf
    // A final CR may be the first half of a CR LF, so wait for the next byte.
    const whole = end >= 0 && !(cr >= 0 && cr + 1 === rest.length)
    const gone = whole ? end + (cr >= 0 && rest[cr + 1] === LF ? 2 : 1) : end >= 0 ? end : rest.length
    this.#at += gone
    this.#skipped += gone
    this.#searched = this.#at
    if (!whole) return false
    this.#skipping = false
    this.#position += this.#skipped
    return true
  }

  /**
   * Adds the bytes that were read next. The splitter keeps the buffer, so the caller must not reuse
   * it.
   */
  add(bytes: Buffer): void {
    const left = this.pending
    this.#searched = Math.max(0, this.#searched - this.#at)
    this.#nextLf = -2
    this.#nextCr = -2
    if (left === 0) {
      this.#bytes = bytes
      this.#own = null
    } else {
      const whole = left + bytes.length
      const rest = this.#bytes.subarray(this.#at)
      if (this.#own && this.#own.length >= whole) {
        if (this.#at > 0) rest.copy(this.#own)
      } else {
        this.#own = Buffer.allocUnsafeSlow(2 * whole)
        rest.copy(this.#own)
      }
      bytes.copy(this.#own, left)
      this.#bytes = this.#own.subarray(0, whole)
    }
    this.#at = 0
  }

  /** Returns the next complete lines, at most `max`. */
  take(max: number): Line[] {
    const lines: Line[] = []
    const bytes = this.#bytes
    while (lines.length < max) {
      const from = Math.max(this.#at, this.#searched)
      if (this.#nextLf !== -1 && this.#nextLf < from) this.#nextLf = bytes.indexOf(LF, from)
      if (this.#nextCr !== -1 && this.#nextCr < from) this.#nextCr = bytes.indexOf(CR, from)
      const lf = this.#nextLf
      const cr = this.#nextCr >= 0 && (lf < 0 || this.#nextCr < lf) ? this.#nextCr : -1
      const end = cr >= 0 ? cr : lf
      if ((end < 0 ? bytes.length : end) - this.#at > this.#limit) {
        this.#overlong = true
        break
      }
      // A final CR may be the first half of a CR LF, so wait for the next byte.
      if (end < 0 || cr + 1 === bytes.length) {
        this.#searched = end < 0 ? bytes.length : end
        break
      }
      const behind = cr >= 0 && bytes[cr + 1] === LF ? end + 2 : end + 1
      const text = bytes.toString('utf8', this.#at, end)
      this.#position += behind - this.#at
      this.#at = behind
      lines.push({ text, end: this.#position })
    }
    return lines
  }

  /**
   * Returns the last line if it has no line end, otherwise null. Call it when no more bytes will
   * come, and only if the line is not longer than the limit.
   */
  takeRest(): Line | null {
    // The rest of a skipped line is skipped too.
    if (this.pending === 0 || this.#skipping) return null
    const end = this.#bytes.at(-1) === CR ? this.#bytes.length - 1 : this.#bytes.length
    const text = this.#bytes.toString('utf8', this.#at, end)
    this.#position += this.pending
    this.#at = this.#bytes.length
    return { text, end: this.#position }
  }
}
