import { tooLarge } from './failures.ts'

/**
 * The output of a decoder: one buffer that doubles in size up to a limit. A length announced by
 * hostile data therefore allocates nothing. Matches can refer to everything written so far.
 */
export class Output {
  buf: Buffer
  pos = 0
  private readonly limit: number

  constructor(guess: number, limit: number) {
    this.limit = limit
    this.buf = Buffer.allocUnsafeSlow(Math.min(Math.max(guess, 64), limit))
  }

  /** Ensures that `length` more bytes fit. */
  reserve(length: number): void {
    const minimum = this.pos + length
    if (minimum <= this.buf.length) return
    if (minimum > this.limit) throw tooLarge(this.limit)
    const larger = Buffer.allocUnsafeSlow(Math.min(this.limit, Math.max(minimum, this.buf.length * 2)))
    this.buf.copy(larger, 0, 0, this.pos)
    this.buf = larger
  }

  /** Copies bytes from a source. */
  literal(source: Buffer, from: number, length: number): void {
    this.reserve(length)
    const { buf } = this
    let at = this.pos
    if (length > 48) source.copy(buf, at, from, from + length)
    else for (let i = from, end = from + length; i < end; i++) buf[at++] = source[i]!
    this.pos += length
  }

  /**
   * Repeats the bytes written `distance` bytes before. An overlapping range repeats itself.
   * `distance` must be at most `pos`.
   */
  match(distance: number, length: number): void {
    this.reserve(length)
    const { buf } = this
    const at = this.pos
    const from = at - distance
    if (length > 48 && distance >= length) buf.copyWithin(at, from, from + length)
    else if (length > 48 && distance === 1) buf.fill(buf[from]!, at, at + length)
    else for (let i = 0; i < length; i++) buf[at + i] = buf[from + i]!
    this.pos = at + length
  }

  /** Returns the output, in a smaller buffer if much of the current one is unused. */
  finish(): Buffer {
    const out = this.buf.subarray(0, this.pos)
    return this.pos < this.buf.length / 2 ? Buffer.from(out) : out
  }
}
