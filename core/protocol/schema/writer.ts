import { unrepresentable } from '../errors.ts'

/** Buffers of at least this size are referenced in the output instead of copied. */
const MIN_REFERENCED = 1024
/** The maximum size of a scratch buffer that is kept for the next message. */
const MAX_KEPT_SCRATCH = 1 << 20
const MAX_MESSAGE = 0x7fffffff

let scratch: Buffer = Buffer.allocUnsafeSlow(16384)

/**
 * Writes the protocol's primitive types. All writers share one scratch buffer, because encoding is
 * synchronous and handles one message at a time. The content of the scratch buffer is copied to new
 * chunks of the output. Large buffers become chunks without a copy.
 */
export class Writer {
  private buf: Buffer = scratch
  private pos = 0
  private flushed = 0
  private readonly chunks: Buffer[] = []
  /**
   * The nesting depth of tagged fields. Inside a tagged field all bytes are copied, because the
   * size of the field must be inserted before them.
   */
  private tagDepth = 0

  private reserve(length: number): number {
    const at = this.pos
    if (at + length > this.buf.length) this.grow(at + length)
    this.pos = at + length
    return at
  }

  private grow(minimum: number): void {
    if (minimum > MAX_MESSAGE) throw unrepresentable('a message', `it is longer than ${MAX_MESSAGE} bytes`)
    const larger = Buffer.allocUnsafeSlow(Math.min(MAX_MESSAGE, Math.max(minimum, this.buf.length * 2)))
    this.buf.copy(larger, 0, 0, this.pos)
    this.buf = larger
    if (larger.length <= MAX_KEPT_SCRATCH) scratch = larger
  }

  bool(value: boolean): void {
    // Read `this.buf` only after `reserve`, which may replace it.
    const at = this.reserve(1)
    this.buf[at] = value ? 1 : 0
  }

  int8(value: number, name: string): void {
    if ((value << 24) >> 24 !== value) outOfRange(name, value)
    const at = this.reserve(1)
    this.buf[at] = value
  }

  int16(value: number, name: string): void {
    if ((value << 16) >> 16 !== value) outOfRange(name, value)
    const at = this.reserve(2)
    this.buf[at] = value >> 8
    this.buf[at + 1] = value
  }

  uint16(value: number, name: string): void {
    if ((value & 0xffff) !== value) outOfRange(name, value)
    const at = this.reserve(2)
    this.buf[at] = value >> 8
    this.buf[at + 1] = value
  }

  int32(value: number, name: string): void {
    if ((value | 0) !== value) outOfRange(name, value)
    this.word(value)
  }

  uint32(value: number, name: string): void {
    if (value >>> 0 !== value) outOfRange(name, value)
    this.word(value)
  }

  private word(value: number): void {
    const at = this.reserve(4)
    const { buf } = this
    buf[at] = value >> 24
    buf[at + 1] = value >> 16
    buf[at + 2] = value >> 8
    buf[at + 3] = value
  }

  int64(value: number, name: string): void {
    if (value >= 2 ** 63) {
      this.word(0x7fffffff)
      this.word(-1)
      return
    }
    if (value < -(2 ** 63)) {
      this.word(-0x80000000)
      this.word(0)
      return
    }
    if (!Number.isInteger(value)) outOfRange(name, value)
    const high = Math.floor(value / 4294967296)
    this.word(high)
    this.word(value - high * 4294967296)
  }

  float64(value: number, name: string): void {
    if (typeof value !== 'number') outOfRange(name, value)
    const at = this.reserve(8)
    this.buf.writeDoubleBE(value, at)
  }

  uuid(value: string, name: string): void {
    const at = this.reserve(16)
    if (typeof value !== 'string' || value.length !== 22 || this.buf.write(value, at, 16, 'base64url') !== 16)
      throw unrepresentable(name, `${String(value)} is not a uuid of 22 base64url characters`)
  }

  uvarint(value: number): void {
    let rest = value >>> 0
    while (rest > 0x7f) {
      const at = this.reserve(1)
      this.buf[at] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    const at = this.reserve(1)
    this.buf[at] = rest
  }

  string(value: string, name: string): void {
    const length = textLength(value, name)
    this.int16(length, name)
    this.text(value, length)
  }

  stringOrNull(value: string | null, name: string): void {
    if (value === null) this.int16(-1, name)
    else this.string(value, name)
  }

  compactString(value: string, name: string): void {
    const length = textLength(value, name)
    this.uvarint(length + 1)
    this.text(value, length)
  }

  compactStringOrNull(value: string | null, name: string): void {
    if (value === null) this.uvarint(0)
    else this.compactString(value, name)
  }

  private text(value: string, length: number): void {
    const at = this.reserve(length)
    this.buf.write(value, at, length, 'utf8')
  }

  bytes(value: Buffer | readonly Buffer[], name: string): void {
    const length = bytesLength(value, name)
    this.word(length)
    this.append(value)
  }

  bytesOrNull(value: Buffer | readonly Buffer[] | null, name: string): void {
    if (value === null) this.word(-1)
    else this.bytes(value, name)
  }

  compactBytes(value: Buffer | readonly Buffer[], name: string): void {
    this.uvarint(bytesLength(value, name) + 1)
    this.append(value)
  }

  compactBytesOrNull(value: Buffer | readonly Buffer[] | null, name: string): void {
    if (value === null) this.uvarint(0)
    else this.compactBytes(value, name)
  }

  private append(value: Buffer | readonly Buffer[]): void {
    if (Array.isArray(value)) for (const part of value) this.appendOne(part)
    else this.appendOne(value as Buffer)
  }

  private appendOne(value: Buffer): void {
    if (value.length < MIN_REFERENCED || this.tagDepth > 0) {
      const at = this.reserve(value.length)
      value.copy(this.buf, at)
      return
    }
    this.flushScratch()
    this.chunks.push(value)
    this.flushed += value.length
  }

  /** Copies the content of the scratch buffer to a new chunk. */
  private flushScratch(): void {
    if (this.pos === 0) return
    this.chunks.push(Buffer.from(this.buf.subarray(0, this.pos)))
    this.flushed += this.pos
    this.pos = 0
  }

  array(length: number): void {
    this.word(length)
  }

  compactArray(length: number): void {
    this.uvarint(length + 1)
  }

  /** Writes the byte that precedes a nullable struct. */
  structPresent(present: boolean): void {
    const at = this.reserve(1)
    this.buf[at] = present ? 1 : 0xff
  }

  /** Starts a tagged field. Returns the position that must be passed to `endTag`. */
  beginTag(tag: number): number {
    this.uvarint(tag)
    this.tagDepth++
    this.reserve(1)
    return this.pos
  }

  /** Ends a tagged field. Inserts the size of the field before its content. */
  endTag(start: number): void {
    this.tagDepth--
    const size = this.pos - start
    let extra = 0
    for (let rest = size >>> 7; rest > 0; rest >>>= 7) extra++
    if (extra > 0) {
      this.reserve(extra)
      this.buf.copyWithin(start + extra, start, start + size)
    }
    let at = start - 1
    let rest = size
    for (; rest > 0x7f; rest >>>= 7) this.buf[at++] = (rest & 0x7f) | 0x80
    this.buf[at] = rest
  }

  /**
   * Returns the chunks of the message, in order. With `framed`, writes the size of the rest of the
   * message to its first four bytes, which the caller has reserved.
   */
  finish(framed = false): Buffer[] {
    this.flushScratch()
    if (this.flushed > MAX_MESSAGE)
      throw unrepresentable('a message', `it has ${this.flushed} bytes, but at most ${MAX_MESSAGE} are allowed`)
    if (framed) this.chunks[0]!.writeInt32BE(this.flushed - 4, 0)
    return this.chunks
  }
}

function outOfRange(name: string, value: unknown): never {
  throw unrepresentable(name, `${String(value)} is not a number in the range of the field`)
}

function textLength(value: string, name: string): number {
  if (typeof value !== 'string') throw unrepresentable(name, `${String(value)} is not a string`)
  const length = Buffer.byteLength(value)
  if (length > 0x7fff) throw unrepresentable(name, `the string has ${length} bytes, but at most ${0x7fff} are allowed`)
  return length
}

function bytesLength(value: Buffer | readonly Buffer[], name: string): number {
  if (Buffer.isBuffer(value)) return value.length
  if (!Array.isArray(value)) throw unrepresentable(name, 'it is not a Buffer')
  let length = 0
  for (const part of value) length += part.length
  if (length >= MAX_MESSAGE)
    throw unrepresentable(name, `it has ${length} bytes, but must have fewer than ${MAX_MESSAGE}`)
  return length
}
