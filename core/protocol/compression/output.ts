import { tooLarge } from './failures.ts'

/**
 * Where a decoder writes: one buffer that grows by doubling up to a limit, so that a length announced by hostile data
 * allocates nothing by itself, and matches can reach back into all that was written.
 */
export class Output {
  buf: Buffer
  pos = 0
  private readonly limit: number

  constructor(guess: number, limit: number) {
    this.limit = limit
    this.buf = Buffer.allocUnsafeSlow(Math.min(Math.max(guess, 64), limit))
  }

  /** Makes room for `length` more bytes. */
  reserve(length: number): void {
    const least = this.pos + length
    if (least <= this.buf.length) return
    if (least > this.limit) throw tooLarge(this.limit)
    const larger = Buffer.allocUnsafeSlow(Math.min(this.limit, Math.max(least, this.buf.length * 2)))
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

  /** Repeats what was written `distance` bytes ago; an overlap repeats itself. `distance` must be at most `pos`. */
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

  /** What was written, without the room that is left over if that is much. */
  finish(): Buffer {
    const out = this.buf.subarray(0, this.pos)
    return this.pos < this.buf.length / 2 ? Buffer.from(out) : out
  }
}
