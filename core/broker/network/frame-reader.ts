import { ApiKey, apis } from '../../protocol/api-keys.ts'
import { brokerErrors } from '../errors.ts'

const SIZE_BYTES = 4
const API_KEY_BYTES = 2
/**
 * What a request without records may have. Nobody needs more to name things, such as every partition of a large cluster; what it is decoded to takes
 * many times its size.
 */
const MAX_PLAIN_BYTES = 16 << 20
/** The first buffer of a request that does not arrive at once: memory is taken as bytes come, not as a peer announces them. */
const FIRST_BUFFER = 256 * 1024
const GROWTH = 4

/**
 * Cuts a stream into requests: an int32 size, then so many bytes. A request that lies within one chunk is a slice of it; one that does not is
 * gathered in a buffer that grows as its bytes arrive. Only Produce may be as large as `maxBytes`, the others have 16 MiB at most.
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
      this.#checkApi(frame, size)
      this.#pos += size
      this.#size = -1
      return frame
    }
    const count = Math.min(there, size - this.#filled)
    const into = this.#roomFor(this.#filled + count)
    chunk.copy(into, this.#filled, this.#pos, this.#pos + count)
    const before = this.#filled
    this.#filled += count
    this.#pos += count
    if (before < API_KEY_BYTES && this.#filled >= API_KEY_BYTES) this.#checkApi(into, size)
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
    throw tooLarge(size, this.#maxBytes, guess(size))
  }

  /** A request begins with its API. */
  #checkApi(frame: Buffer, size: number): void {
    if (size <= MAX_PLAIN_BYTES) return
    const key = frame.readInt16BE(0)
    if (key !== ApiKey.Produce) throw tooLarge(size, MAX_PLAIN_BYTES, ` for ${apis.get(key)?.name ?? `the API ${key}`}`)
  }
}

function tooLarge(size: number, limit: number, remark: string) {
  return brokerErrors.create('MR_BROKER_BAD_REQUEST', {
    what: `its size is ${size} bytes, and the limit is ${limit}${remark}`,
  })
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
