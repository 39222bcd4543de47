import { tooLarge } from './failures.ts'

/**
 * The output of a decoder: a buffer that doubles in size when it is full, up to a limit. A length
 * that hostile data announces therefore allocates nothing. A match can refer to all bytes that are
 * already in the output.
 */
export class Output {
  buf: Buffer
  pos = 0
  private readonly limit: number

  constructor(guess: number, limit: number) {
    this.limit = limit
    this.buf = Buffer.allocUnsafeSlow(Math.min(Math.max(guess, 64), limit))
  }

  /**
   * Makes space for `length` more bytes. Throws MR_PROTOCOL_TOO_LARGE if the output would exceed
   * the limit.
   */
  reserve(length: number): void {
    const minimum = this.pos + length
    if (minimum <= this.buf.length) return
    if (minimum > this.limit) throw tooLarge(this.limit)
    const larger = Buffer.allocUnsafeSlow(Math.min(this.limit, Math.max(minimum, this.buf.length * 2)))
    this.buf.copy(larger, 0, 0, this.pos)
    this.buf = larger
  }

  /** Appends bytes of `source`. */
  literal(source: Buffer, from: number, length: number): void {
    this.reserve(length)
    const { buf } = this
    let at = this.pos
    if (length > 48) source.copy(buf, at, from, from + length)
    else for (let i = from, end = from + length; i < end; i++) buf[at++] = source[i]!
    this.pos += length
  }

  /**
   * Appends a copy of the bytes that start `distance` bytes before the end of the output. If
   * `length` exceeds `distance`, the copied bytes repeat. `distance` must be at most `pos`.
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

  /** Returns the output. Copies the output to a smaller buffer if much of the buffer is unused. */
  finish(): Buffer {
    const out = this.buf.subarray(0, this.pos)
    return this.pos < this.buf.length / 2 ? Buffer.from(out) : out
  }
}
