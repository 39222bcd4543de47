import type { BufferPool } from '../../common/buffer-pool.ts'
import { ApiKey, apis } from '../../protocol/api-keys.ts'
import { brokerErrors } from '../errors.ts'

const SIZE_BYTES = 4
/** The size, and the API key that every request begins with. */
const START_BYTES = 6
/**
 * What a request without records may have. Nobody needs more to name things, such as every partition of a large cluster; what it is decoded to takes
 * many times its size.
 */
const MAX_PLAIN_BYTES = 16 << 20
/** The first buffer of a request that does not arrive at once: memory is taken as bytes come, not as a peer announces them. */
const FIRST_BUFFER = 256 * 1024
const GROWTH = 4
/** Smaller ones share a page of Node's with others. */
const POOLED_FROM = 4096
/** If as much is missing, it is better read to where it belongs than copied there. */
const IN_PLACE_FROM = 64 * 1024

/**
 * Cuts a stream into requests: an int32 size, then so many bytes. Each gets memory of its own, which grows as its bytes arrive; that of Produce, if
 * it is not small, comes from the pool. Only Produce may be as large as `maxBytes`, the others have 16 MiB at most.
 */
export class FrameReader {
  readonly #maxBytes: number
  readonly #pool: BufferPool
  /** Complete requests, and after them what is wrong with the next. */
  #frames: Buffer[] = []
  #problem: Error | null = null
  /** The request being gathered, of which `#filled` bytes are there; its size is -1 while that is not known. */
  #frame: Buffer | null = null
  #filled = 0
  #size = -1
  #pooled = false
  readonly #start = Buffer.alloc(START_BYTES)
  #startFilled = 0

  constructor(maxBytes: number, pool: BufferPool) {
    this.#maxBytes = maxBytes
    this.#pool = pool
  }

  /** Whether part of a request is there and the rest is not. */
  get partial(): boolean {
    return this.#startFilled > 0
  }

  /** Whether `peek` has something to tell. */
  get hasComplete(): boolean {
    return this.#frames.length > 0 || this.#problem !== null
  }

  /** How many bytes of the request begun are still to come. */
  get missing(): number {
    return this.#size < 0 ? 0 : this.#size - this.#filled
  }

  /** Takes all of a chunk: what is kept of it is copied. */
  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length && this.#problem === null; ) {
      if (this.#frame === null) at = this.#begin(chunk, at)
      else {
        const count = Math.min(chunk.length - at, this.#size - this.#filled)
        this.#grow(this.#filled + count)
        chunk.copy(this.#frame, this.#filled, at, at + count)
        this.received(count)
        at += count
      }
    }
  }

  /** Where the next bytes may be read to instead of being pushed: then call `received`. Null when little of a request is missing. */
  room(): Buffer | null {
    const frame = this.#frame
    if (frame === null) return null
    const end = Math.min(frame.length, this.#size)
    return end - this.#filled >= IN_PLACE_FROM ? frame.subarray(this.#filled, end) : null
  }

  /** So many bytes more of the request begun are in its memory. */
  received(count: number): void {
    this.#filled += count
    if (this.#filled < this.#size) return
    const frame = this.#frame!
    this.#frames.push(frame.length === this.#size ? frame : frame.subarray(0, this.#size))
    this.#frame = null
    this.#size = -1
    this.#startFilled = 0
  }

  /** The next request without its size; null when it is not complete. Throws MR_BROKER_BAD_REQUEST on a size that cannot be. */
  peek(): Buffer | null {
    const frame = this.#frames[0]
    if (frame) return frame
    if (this.#problem) throw this.#problem
    return null
  }

  /** Takes away the request that `peek` gave. */
  drop(): void {
    this.#frames.shift()
  }

  /** How many bytes there are to be before a request gets memory. */
  get #startBytes(): number {
    return this.#size < 0 ? SIZE_BYTES : Math.min(START_BYTES, SIZE_BYTES + this.#size)
  }

  /** Gathers a request's first bytes, then makes room for it. Returns how far it got in the chunk. */
  #begin(chunk: Buffer, from: number): number {
    let at = from
    while (at < chunk.length && this.#startFilled < this.#startBytes) {
      this.#start[this.#startFilled++] = chunk[at++]!
      if (this.#startFilled !== SIZE_BYTES) continue
      this.#size = this.#start.readInt32BE(0)
      if (this.#size < 0 || this.#size > this.#maxBytes) {
        this.#problem = tooLarge(this.#size, this.#maxBytes, guess(this.#size))
        return at
      }
    }
    if (this.#size < 0 || this.#startFilled < this.#startBytes) return at
    const key = this.#size < 2 ? -1 : this.#start.readInt16BE(SIZE_BYTES)
    if (this.#size > MAX_PLAIN_BYTES && key !== ApiKey.Produce) {
      const what = ` for ${apis.get(key)?.name ?? `the API ${key}`}`
      this.#problem = tooLarge(this.#size, MAX_PLAIN_BYTES, what)
      return at
    }
    this.#pooled = key === ApiKey.Produce && this.#size >= POOLED_FROM
    this.#filled = 0
    const begun = this.#startFilled - SIZE_BYTES
    this.#frame = this.#allocate(Math.min(this.#size, Math.max(FIRST_BUFFER, begun + chunk.length - at)))
    this.#start.copy(this.#frame, 0, SIZE_BYTES, this.#startFilled)
    this.received(begun)
    return at
  }

  #grow(bytes: number): void {
    const frame = this.#frame!
    if (frame.length >= bytes) return
    const grown = this.#allocate(Math.min(this.#size, Math.max(frame.length * GROWTH, bytes)))
    frame.copy(grown, 0, 0, this.#filled)
    if (this.#pooled) this.#pool.give(frame)
    this.#frame = grown
  }

  #allocate(bytes: number): Buffer {
    if (this.#pooled) return this.#pool.take(bytes)
    return bytes < POOLED_FROM ? Buffer.allocUnsafe(bytes) : Buffer.allocUnsafeSlow(bytes)
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
