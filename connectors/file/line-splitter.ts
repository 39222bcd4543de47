const LF = 10
const CR = 13

/** A line, and where the next one begins. */
export interface Line {
  readonly text: string
  /** Bytes from the beginning of the file to behind this line's end. */
  readonly end: number
}

/**
 * Cuts bytes into lines at `\n`, `\r\n` and `\r`, as Kafka's source does, but counts bytes. Bytes are decoded only when a line is
 * whole, so a character split between two reads stays whole. Holds no more than one read and one unfinished line.
 */
export class LineSplitter {
  #bytes: Buffer = Buffer.alloc(0)
  /** Our own buffer, which `#bytes` is the beginning of, once a line took several reads; it grows by doubling. */
  #own: Buffer | null = null
  #at = 0
  /** Where `#bytes[#at]` stands in the file. */
  #position: number
  /** Up to where `#bytes` was searched for an end of line in vain. */
  #searched = 0
  /** The next of each in `#bytes`; -1: none, -2: not searched yet. Kept, so that a file without one is not searched for it at every line. */
  #nextLf = -2
  #nextCr = -2
  #overlong = false
  #passing = false
  /** How many bytes of the skipped line were discarded already. */
  #passed = 0
  readonly #limit: number

  /** `limit`: the longest line, in bytes without its end. */
  constructor(position: number, limit = Number.POSITIVE_INFINITY) {
    this.#position = position
    this.#limit = limit
  }

  /** Where the next line begins, in bytes. */
  get position(): number {
    return this.#position
  }

  /** Bytes held that are no whole line yet, as far as it is known. */
  get pending(): number {
    return this.#bytes.length - this.#at
  }

  /** Whether the line at `position`, whole or not, is longer than the limit: `take` does not get past it. */
  get overlong(): boolean {
    return this.#overlong
  }

  /**
   * Whether the line at `position` is being skipped: `passLine` discards its bytes as they arrive.
   */
  get passing(): boolean {
    return this.#passing
  }

  /** Starts to skip the line that is longer than the limit. */
  pass(): void {
    this.#overlong = false
    this.#passing = true
    this.#passed = 0
  }

  /** Discards bytes of the skipped line. Returns true at its end, with `position` after it. */
  passLine(): boolean {
    const bytes = this.#bytes
    const rest = bytes.subarray(this.#at)
    const lf = rest.indexOf(LF)
    const cr = rest.subarray(0, lf < 0 ? rest.length : lf).indexOf(CR)
    const end = cr >= 0 ? cr : lf
    // a final CR may be the first half of a CR LF: wait for the next byte
    const whole = end >= 0 && !(cr >= 0 && cr + 1 === rest.length)
    const gone = whole ? end + (cr >= 0 && rest[cr + 1] === LF ? 2 : 1) : end >= 0 ? end : rest.length
    this.#at += gone
    this.#passed += gone
    this.#searched = this.#at
    if (!whole) return false
    this.#passing = false
    this.#position += this.#passed
    return true
  }

  /** Adds what was read next. The splitter keeps the buffer: do not reuse it. */
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

  /** The next lines that are whole, at most `max`. */
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
      // a final CR may be the first half of a CR LF: wait for the next byte
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

  /** What is left without an end of line, as a line, once no more will come; null when there is nothing. Not more than the limit. */
  takeRest(): Line | null {
    // the rest of a skipped line is skipped too
    if (this.pending === 0 || this.#passing) return null
    const end = this.#bytes.at(-1) === CR ? this.#bytes.length - 1 : this.#bytes.length
    const text = this.#bytes.toString('utf8', this.#at, end)
    this.#position += this.pending
    this.#at = this.#bytes.length
    return { text, end: this.#position }
  }
}
