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
  #at = 0
  /** Where `#bytes[#at]` stands in the file. */
  #position: number
  /** Up to where `#bytes` was searched for an end of line in vain. */
  #searched = 0

  constructor(position: number) {
    this.#position = position
  }

  /** Where the next line begins, in bytes. */
  get position(): number {
    return this.#position
  }

  /** Bytes held that are no whole line yet, as far as it is known. */
  get pending(): number {
    return this.#bytes.length - this.#at
  }

  /** Adds what was read next. The splitter keeps the buffer: do not reuse it. */
  add(bytes: Buffer): void {
    const left = this.pending
    this.#searched = Math.max(0, this.#searched - this.#at)
    this.#bytes = left === 0 ? bytes : Buffer.concat([this.#bytes.subarray(this.#at), bytes])
    this.#at = 0
  }

  /** The next lines that are whole, at most `max`. */
  take(max: number): Line[] {
    const lines: Line[] = []
    const bytes = this.#bytes
    while (lines.length < max) {
      const from = Math.max(this.#at, this.#searched)
      const lf = bytes.indexOf(LF, from)
      let end = lf
      let skip = 1
      const cr = this.#carriageReturn(from, lf)
      if (cr >= 0) {
        // whether a CR at the very end is a CR LF shows with the next byte
        if (cr + 1 === bytes.length) break
        end = cr
        skip = bytes[cr + 1] === LF ? 2 : 1
      }
      if (end < 0) {
        this.#searched = bytes.length
        break
      }
      const text = bytes.toString('utf8', this.#at, end)
      this.#position += end + skip - this.#at
      this.#at = end + skip
      lines.push({ text, end: this.#position })
    }
    return lines
  }

  #nextCr = -2

  /** The first CR before `limit`; files without any are searched for it once a read. */
  #carriageReturn(from: number, limit: number): number {
    if (this.#nextCr === -2 || this.#crBytes !== this.#bytes || (this.#nextCr >= 0 && this.#nextCr < from)) {
      this.#crBytes = this.#bytes
      this.#nextCr = this.#bytes.indexOf(CR, from)
    }
    return this.#nextCr >= 0 && (limit < 0 || this.#nextCr < limit) ? this.#nextCr : -1
  }

  #crBytes: Buffer | null = null
}
