import type { BufferPool } from '../../common/buffer-pool.ts'
import { ApiKey, apis } from '../../protocol/api-keys.ts'
import { brokerErrors } from '../errors.ts'

const SIZE_BYTES = 4
/** The number of bytes with which every request begins: its size and its API key. */
const START_BYTES = 6
/**
 * The maximum size of requests that contain no records. It is enough to name every partition of a
 * large cluster. It is not larger, because a decoded request uses many times its size in memory.
 */
const MAX_BYTES_WITHOUT_RECORDS = 16 << 20
/**
 * The size of the first buffer for a request that arrives in several pieces. The buffer grows as
 * bytes arrive, because clients may announce sizes that they never send.
 */
const FIRST_BUFFER = 256 * 1024
const GROWTH = 4
/**
 * Smaller requests do not use the pool, because Node allocates small buffers from a shared page.
 */
const POOLED_FROM = 4096
/**
 * If at least this many bytes are missing, the socket reads directly into the request's buffer,
 * without a copy.
 */
const IN_PLACE_FROM = 64 * 1024

/**
 * Splits a stream into requests. Each request is an int32 size, followed by that many bytes. Each
 * request has its own buffer, which grows as bytes arrive. The buffer of a Produce request comes
 * from the pool, unless it is small. Only Produce requests may be as large as `maxBytes`. Other
 * requests are limited to 16 MiB.
 */
export class FrameReader {
  readonly #maxBytes: number
  readonly #pool: BufferPool
  /** The complete requests. `#problem` is the error in the request that follows them. */
  #frames: Buffer[] = []
  #problem: Error | null = null
  /**
   * The buffer of the incomplete request. `#filled` is the number of bytes that have arrived.
   * `#size` is -1 until the size of the request is known.
   */
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

  /** Whether part of a request has arrived. */
  get partial(): boolean {
    return this.#startFilled > 0
  }

  /** Whether `peek` returns a request or throws. */
  get hasComplete(): boolean {
    return this.#frames.length > 0 || this.#problem !== null
  }

  /** The number of bytes that are missing from the incomplete request. */
  get missing(): number {
    return this.#size < 0 ? 0 : this.#size - this.#filled
  }

  /** Processes a whole chunk. Copies the bytes that are kept, so the caller may reuse the chunk. */
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

  /**
   * Returns a buffer for the next bytes. The caller reads into the buffer, then calls `received`.
   * Returns null if the caller must use `push`: before a request's buffer exists, or if only few
   * bytes are missing.
   */
  nextBuffer(): Buffer | null {
    const frame = this.#frame
    if (frame === null) return null
    const end = Math.min(frame.length, this.#size)
    return end - this.#filled >= IN_PLACE_FROM ? frame.subarray(this.#filled, end) : null
  }

  /** Reports that `count` bytes were read into the buffer that `nextBuffer` returned. */
  received(count: number): void {
    this.#filled += count
    if (this.#filled < this.#size) return
    const frame = this.#frame!
    this.#frames.push(frame.length === this.#size ? frame : frame.subarray(0, this.#size))
    this.#frame = null
    this.#size = -1
    this.#startFilled = 0
  }

  /**
   * Returns the next complete request, without its size field. Returns null if there is no complete
   * request. Throws MR_BROKER_BAD_REQUEST if the next request has an invalid size.
   */
  peek(): Buffer | null {
    const frame = this.#frames[0]
    if (frame) return frame
    if (this.#problem) throw this.#problem
    return null
  }

  /** Removes the request that `peek` returned. */
  drop(): void {
    this.#frames.shift()
  }

  /** The number of bytes that must arrive before the request's buffer is allocated. */
  get #startBytes(): number {
    return this.#size < 0 ? SIZE_BYTES : Math.min(START_BYTES, SIZE_BYTES + this.#size)
  }

  /**
   * Collects the first bytes of a request, then allocates its buffer. Returns the position in the
   * chunk after the last byte that was used.
   */
  #begin(chunk: Buffer, from: number): number {
    let at = from
    while (at < chunk.length && this.#startFilled < this.#startBytes) {
      this.#start[this.#startFilled++] = chunk[at++]!
      if (this.#startFilled !== SIZE_BYTES) continue
      this.#size = this.#start.readInt32BE(0)
      if (this.#size < 0 || this.#size > this.#maxBytes) {
        this.#problem = tooLarge(this.#size, this.#maxBytes, guessProtocol(this.#size))
        return at
      }
    }
    if (this.#size < 0 || this.#startFilled < this.#startBytes) return at
    const key = this.#size < 2 ? -1 : this.#start.readInt16BE(SIZE_BYTES)
    if (this.#size > MAX_BYTES_WITHOUT_RECORDS && key !== ApiKey.Produce) {
      const what = ` for ${apis.get(key)?.name ?? `API key ${key}`}`
      this.#problem = tooLarge(this.#size, MAX_BYTES_WITHOUT_RECORDS, what)
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
    what: `its size is ${size} bytes, but the limit is ${limit}${remark}`,
  })
}

/** Returns a remark if the first bytes of a request look like those of TLS or HTTP. */
function guessProtocol(size: number): string {
  const bytes = Buffer.alloc(SIZE_BYTES)
  bytes.writeInt32BE(size)
  if (bytes[0] === 0x16 && bytes[1] === 3) return ' (this looks like TLS on a PLAINTEXT listener)'
  if (/^(GET |POST|PUT |HEAD|OPTI|DELE|PATC|CONN)$/.test(bytes.toString('latin1')))
    return ' (this looks like HTTP on the port of the Kafka protocol)'
  return ''
}
