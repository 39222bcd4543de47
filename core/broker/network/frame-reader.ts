import { brokerErrors } from '../errors.ts'

const SIZE_BYTES = 4
/** The first buffer of a request that does not arrive at once: memory is taken as bytes come, not as a peer announces them. */
const FIRST_BUFFER = 256 * 1024
const GROWTH = 4

/**
 * Cuts a stream into requests: an int32 size, then so many bytes. A request that lies within one chunk is a slice of it; one that does not is
 * gathered in a buffer that grows as its bytes arrive.
 */
export class FrameReader {
  readonly #maxBytes: number
  readonly #chunks: Buffer[] = []
  #pos = 0
  /** The request being gathered, of which `#filled` bytes are there; its size is -1 while that is not known. */
  #frame: Buffer | null = null
  #filled = 0
  #size = -1
  readonly #sizeBytes = Buffer.alloc(SIZE_BYTES)
  #sizeFilled = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Whether part of a request is there and the rest is not. */
  get partial(): boolean {
    return this.#sizeFilled > 0 || this.#size >= 0
  }

  /** How many bytes of the request begun are still to come. */
  get missing(): number {
    return this.#size < 0 ? 0 : this.#size - this.#filled
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
  }

  /** The next request without its size; null when it is not complete. Throws MR_BROKER_BAD_REQUEST on a size that cannot be. */
  next(): Buffer | null {
    for (;;) {
      const chunk = this.#chunks[0]
      if (!chunk) return null
      const frame = this.#take(chunk)
      if (this.#pos === chunk.length) {
        this.#chunks.shift()
        this.#pos = 0
      }
      if (frame) return frame
    }
  }

  /** Goes on in a chunk until it ends or a request is complete. */
  #take(chunk: Buffer): Buffer | null {
    if (this.#size < 0 && !this.#readSize(chunk)) return null
    const size = this.#size
    const there = chunk.length - this.#pos
    if (this.#frame === null && there >= size) {
      const frame = chunk.subarray(this.#pos, this.#pos + size)
      this.#pos += size
      this.#size = -1
      return frame
    }
    const count = Math.min(there, size - this.#filled)
    const into = this.#roomFor(this.#filled + count)
    chunk.copy(into, this.#filled, this.#pos, this.#pos + count)
    this.#filled += count
    this.#pos += count
    if (this.#filled < size) return null
    const frame = into.length === size ? into : into.subarray(0, size)
    this.#frame = null
    this.#filled = 0
    this.#size = -1
    return frame
  }

  #roomFor(bytes: number): Buffer {
    let frame = this.#frame
    if (frame === null) frame = Buffer.allocUnsafeSlow(Math.min(this.#size, Math.max(FIRST_BUFFER, bytes)))
    else if (frame.length < bytes) {
      const grown = Buffer.allocUnsafeSlow(Math.min(this.#size, Math.max(frame.length * GROWTH, bytes)))
      frame.copy(grown, 0, 0, this.#filled)
      frame = grown
    }
    this.#frame = frame
    return frame
  }

  #readSize(chunk: Buffer): boolean {
    if (this.#sizeFilled === 0 && chunk.length - this.#pos >= SIZE_BYTES) {
      this.#size = this.#checked(chunk.readInt32BE(this.#pos))
      this.#pos += SIZE_BYTES
      return true
    }
    while (this.#sizeFilled < SIZE_BYTES && this.#pos < chunk.length)
      this.#sizeBytes[this.#sizeFilled++] = chunk[this.#pos++]!
    if (this.#sizeFilled < SIZE_BYTES) return false
    this.#sizeFilled = 0
    this.#size = this.#checked(this.#sizeBytes.readInt32BE(0))
    return true
  }

  #checked(size: number): number {
    if (size >= 0 && size <= this.#maxBytes) return size
    throw brokerErrors.create('MR_BROKER_BAD_REQUEST', {
      what: `its size is ${size} bytes, and the limit is ${this.#maxBytes}${guess(size)}`,
    })
  }
}

/** What speaks there, if its first bytes are those of another protocol. */
function guess(size: number): string {
  const bytes = Buffer.alloc(SIZE_BYTES)
  bytes.writeInt32BE(size)
  if (bytes[0] === 0x16 && bytes[1] === 3) return ' (this looks like TLS on a PLAINTEXT listener)'
  if (/^(GET |POST|PUT |HEAD|OPTI|DELE|PATC|CONN)$/.test(bytes.toString('latin1')))
    return ' (this looks like HTTP on the port of the Kafka protocol)'
  return ''
}
