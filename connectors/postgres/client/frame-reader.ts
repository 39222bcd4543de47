import { errors } from '../errors.ts'

/**
 * The greatest length of a message. PostgreSQL never sends a longer message, so a greater length
 * means that the stream is corrupt.
 */
const MAX_FRAME = 2 ** 30 + 1024

/**
 * Splits a byte stream into the server's frames. A frame has a type, a length and a payload. A
 * frame within one chunk is not copied. The parts of a frame that spans several chunks are joined
 * once, when the frame is complete.
 */
export class FrameReader {
  /**
   * The type of the current frame. The payload of the frame is in `buf`, from `start` to `end`. All
   * four are valid until `next` is called again.
   */
  type = 0
  buf: Buffer = Buffer.alloc(0)
  start = 0
  end = 0
  #chunk: Buffer | null = null
  #at = 0
  /**
   * The parts of an incomplete frame. `#have` is the sum of their lengths. `#need` is the length of
   * the whole frame; 0 if it is not known yet.
   */
  #pieces: Buffer[] = []
  #have = 0
  #need = 0

  /** Adds the next bytes. Call it only after `next` returned false. */
  push(chunk: Buffer): void {
    this.#chunk = chunk
    this.#at = 0
  }

  next(): boolean {
    const chunk = this.#chunk
    if (chunk === null) return false
    return this.#have > 0 ? this.#joined(chunk) : this.#inPlace(chunk)
  }

  #inPlace(chunk: Buffer): boolean {
    const at = this.#at
    const left = chunk.length - at
    if (left >= 5) {
      const size = lengthAt(chunk, at + 1) + 1
      if (size <= left) {
        this.type = chunk[at]!
        this.buf = chunk
        this.start = at + 5
        this.end = at + size
        this.#at = at + size
        return true
      }
      this.#need = size
    }
    if (left > 0) {
      this.#pieces = [left === chunk.length ? chunk : chunk.subarray(at)]
      this.#have = left
    }
    this.#chunk = null
    return false
  }

  #joined(chunk: Buffer): boolean {
    if (this.#need === 0) {
      // the header is incomplete, so the length of the frame is not known yet
      const missing = 5 - this.#have
      if (missing > 0) {
        const part = chunk.subarray(this.#at, this.#at + missing)
        this.#pieces.push(part)
        this.#have += part.length
        this.#at += part.length
        if (this.#have < 5) return this.#drained()
      }
      const head = Buffer.concat(this.#pieces)
      this.#pieces = [head]
      this.#need = lengthAt(head, 1) + 1
    }
    const part = chunk.subarray(this.#at, this.#at + this.#need - this.#have)
    if (part.length > 0) this.#pieces.push(part)
    this.#have += part.length
    this.#at += part.length
    if (this.#have < this.#need) return this.#drained()
    const frame = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces)
    this.type = frame[0]!
    this.buf = frame
    this.start = 5
    this.end = this.#need
    this.#pieces = []
    this.#have = 0
    this.#need = 0
    return true
  }

  #drained(): boolean {
    this.#chunk = null
    return false
  }
}

function lengthAt(buf: Buffer, at: number): number {
  const length = buf.readInt32BE(at)
  if (length < 4 || length > MAX_FRAME) throw errors.create('MR_PG_PROTOCOL', { cause: `a message of ${length} bytes` })
  return length
}
