import { malformed } from '../errors.ts'

/**
 * Reads the protocol's primitives from a buffer, in order. Every read is checked against the end, and every count against
 * the bytes that are left, so that hostile lengths end in an error before anything is allocated.
 */
export class Reader {
  readonly buf: Buffer
  pos: number
  readonly end: number
  /** What is being read, for errors. */
  readonly what: string
  /** How many more elements the message's arrays may have together. */
  #elementsLeft: number

  constructor(buf: Buffer, pos: number, end: number, what: string, maxElements = Infinity) {
    this.buf = buf
    this.pos = pos
    this.end = end
    this.what = what
    this.#elementsLeft = maxElements
  }

  fail(detail: string): never {
    throw malformed(this.what, `${detail} at byte ${this.pos}`)
  }

  /** Moves past `length` bytes and returns where they started. */
  take(length: number): number {
    const at = this.pos
    if (length > this.end - at || length < 0) this.fail(`${length} bytes wanted, ${this.end - at} left`)
    this.pos = at + length
    return at
  }

  bool(): boolean {
    return this.buf[this.take(1)] !== 0
  }

  int8(): number {
    return (this.buf[this.take(1)]! << 24) >> 24
  }

  int16(): number {
    const at = this.take(2)
    return (((this.buf[at]! << 8) | this.buf[at + 1]!) << 16) >> 16
  }

  uint16(): number {
    const at = this.take(2)
    return (this.buf[at]! << 8) | this.buf[at + 1]!
  }

  int32(): number {
    const at = this.take(4)
    const { buf } = this
    return (buf[at]! << 24) | (buf[at + 1]! << 16) | (buf[at + 2]! << 8) | buf[at + 3]!
  }

  uint32(): number {
    return this.int32() >>> 0
  }

  int64(): number {
    const high = this.int32()
    return high * 4294967296 + (this.int32() >>> 0)
  }

  float64(): number {
    const at = this.take(8)
    return this.buf.readDoubleBE(at)
  }

  uuid(): string {
    const at = this.take(16)
    return this.buf.toString('base64url', at, at + 16)
  }

  /** An unsigned varint of at most 32 bits. */
  uvarint(): number {
    const { buf, end } = this
    let at = this.pos
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      if (at >= end) this.fail('a varint runs past the end')
      const byte = buf[at++]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        if (shift === 28 && byte > 0x0f) break
        this.pos = at
        return value >>> 0
      }
    }
    return this.fail('a varint exceeds 32 bits')
  }

  private text(length: number): string {
    if (length > 0x7fff) this.fail(`a string of ${length} bytes`)
    const at = this.take(length)
    return this.buf.toString('utf8', at, at + length)
  }

  private slice(length: number): Buffer {
    const at = this.take(length)
    return this.buf.subarray(at, at + length)
  }

  /** The length of a value that must not be null. */
  private present(length: number): number {
    return length < 0 ? this.fail(length === -1 ? 'null where a value must be' : `length ${length}`) : length
  }

  /** -1 is null; less is an error. */
  private orNull(length: number): number {
    return length < -1 ? this.fail(`length ${length}`) : length
  }

  string(): string {
    return this.text(this.present(this.int16()))
  }

  stringOrNull(): string | null {
    const length = this.orNull(this.int16())
    return length < 0 ? null : this.text(length)
  }

  compactString(): string {
    return this.text(this.present(this.uvarint() - 1))
  }

  compactStringOrNull(): string | null {
    const length = this.uvarint() - 1
    return length < 0 ? null : this.text(length)
  }

  bytes(): Buffer {
    return this.slice(this.present(this.int32()))
  }

  bytesOrNull(): Buffer | null {
    const length = this.orNull(this.int32())
    return length < 0 ? null : this.slice(length)
  }

  compactBytes(): Buffer {
    return this.slice(this.present(this.uvarint() - 1))
  }

  compactBytesOrNull(): Buffer | null {
    const length = this.uvarint() - 1
    return length < 0 ? null : this.slice(length)
  }

  /** A count of elements of at least `least` bytes each. An object takes many times the bytes that its element may have on the wire. */
  private count(length: number, least: number): number {
    if (length * least > this.end - this.pos)
      this.fail(`an array of ${length} elements in ${this.end - this.pos} bytes`)
    if (length > this.#elementsLeft) this.fail(`an array of ${length} elements, and ${this.#elementsLeft} are left`)
    if (length > 0) this.#elementsLeft -= length
    return length
  }

  array(least: number): number {
    return this.count(this.present(this.int32()), least)
  }

  arrayOrNull(least: number): number {
    return this.count(this.orNull(this.int32()), least)
  }

  compactArray(least: number): number {
    return this.count(this.present(this.uvarint() - 1), least)
  }

  compactArrayOrNull(least: number): number {
    return this.count(this.uvarint() - 1, least)
  }

  /** Whether a nullable struct follows its one byte: 1, or -1 for null. */
  structPresent(): boolean {
    return this.int8() >= 0
  }

  /** Called after a known tagged field that started at `start` and announced `size` bytes. */
  tagEnds(start: number, size: number): void {
    if (this.pos - start !== size) this.fail(`a tagged field of ${size} bytes holds ${this.pos - start}`)
  }
}
