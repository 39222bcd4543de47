import { malformed } from '../errors.ts'

/**
 * Reads the protocol's primitive types from a buffer, in order. Compares every read with the end of
 * the buffer, and every count with the remaining bytes. Invalid lengths therefore fail before
 * memory is allocated.
 */
export class Reader {
  readonly buf: Buffer
  pos: number
  readonly end: number
  /** The name of the message, for error messages. */
  readonly what: string
  /** The number of elements that the remaining arrays of the message may have together. */
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

  /** Advances by `length` bytes. Returns the position of the first of these bytes. */
  take(length: number): number {
    const at = this.pos
    if (length > this.end - at || length < 0) this.fail(`needs ${length} bytes, but ${this.end - at} remain`)
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

  /** Reads an unsigned varint of at most 32 bits. */
  uvarint(): number {
    const { buf, end } = this
    let at = this.pos
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      if (at >= end) this.fail('a varint extends past the end')
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
    if (length > 0x7fff) this.fail(`a string has ${length} bytes, but at most ${0x7fff} are allowed`)
    const at = this.take(length)
    return this.buf.toString('utf8', at, at + length)
  }

  private slice(length: number): Buffer {
    const at = this.take(length)
    return this.buf.subarray(at, at + length)
  }

  /** Returns the length of a value that must not be null. Fails if the length is negative. */
  private present(length: number): number {
    return length < 0 ? this.fail(length === -1 ? 'a value must not be null' : `a length is ${length}`) : length
  }

  /** Returns the length of a nullable value. -1 means null. Fails if the length is below -1. */
  private orNull(length: number): number {
    return length < -1 ? this.fail(`a length is ${length}`) : length
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

  /**
   * Returns a count of elements. Fails if the remaining bytes are too few for elements of `minimum`
   * bytes each, or if the count exceeds the limit. The limit is necessary because a decoded object
   * takes many times the size of its encoding.
   */
  private count(length: number, minimum: number): number {
    if (length * minimum > this.end - this.pos)
      this.fail(`an array has ${length} elements, but only ${this.end - this.pos} bytes remain`)
    if (length > this.#elementsLeft)
      this.fail(`an array has ${length} elements, but only ${this.#elementsLeft} more are allowed`)
    if (length > 0) this.#elementsLeft -= length
    return length
  }

  array(minimum: number): number {
    return this.count(this.present(this.int32()), minimum)
  }

  arrayOrNull(minimum: number): number {
    return this.count(this.orNull(this.int32()), minimum)
  }

  compactArray(minimum: number): number {
    return this.count(this.present(this.uvarint() - 1), minimum)
  }

  compactArrayOrNull(minimum: number): number {
    return this.count(this.uvarint() - 1, minimum)
  }

  /**
   * Reads the byte before a nullable struct. Returns false if the byte is negative, which means
   * null.
   */
  structPresent(): boolean {
    return this.int8() >= 0
  }

  /**
   * Called at the end of a known tagged field. Fails if the field, which began at `start`, does not
   * have the announced `size`.
   */
  tagEnds(start: number, size: number): void {
    if (this.pos - start !== size) this.fail(`a tagged field announces ${size} bytes, but contains ${this.pos - start}`)
  }
}
