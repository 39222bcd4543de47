/** The number of buffer sizes between two powers of two is 2^STEPS. */
const STEPS = 2
const MIN_STEP = 2048
/** The maximum size of a pooled buffer, in bytes. Larger buffers are not reused. */
const MAX_POOLED = 8 << 20

export interface BufferPoolOptions {
  /** The maximum size of all unused buffers, in bytes. Default: 16 MiB. */
  readonly maxIdleBytes?: number
  /**
   * Called with each returned buffer. A test can overwrite the buffer to detect code that still
   * reads it.
   */
  readonly onGive?: (memory: Buffer) => void
}

/**
 * A pool of reusable buffers. Without it, garbage collection takes a third of a broker's CPU time.
 *
 * Return a buffer only when nothing uses it any more, including sockets and threads. If this is not
 * certain, do not return the buffer. The garbage collector then frees it.
 */
export class BufferPool {
  readonly #maxIdle: number
  readonly #onGive: ((memory: Buffer) => void) | undefined
  /**
   * The unused buffers by size. When a buffer is returned, the entry of its size moves to the end.
   */
  readonly #idle = new Map<number, ArrayBuffer[]>()
  #idleBytes = 0
  /** The buffers that were taken and not yet returned. */
  readonly #out = new WeakSet<ArrayBufferLike>()

  constructor(o: BufferPoolOptions = {}) {
    this.#maxIdle = o.maxIdleBytes ?? 16 << 20
    this.#onGive = o.onGive
  }

  /** The size of all unused buffers, in bytes. */
  get idleBytes(): number {
    return this.#idleBytes
  }

  /** Returns a buffer with this length. Its content is arbitrary. */
  take(bytes: number): Buffer {
    const size = sizeFor(bytes)
    const memory = this.#idle.get(size)?.pop()
    if (memory) this.#idleBytes -= size
    const buffer = memory ? Buffer.from(memory, 0, bytes) : Buffer.allocUnsafeSlow(size).subarray(0, bytes)
    this.#out.add(buffer.buffer)
    return buffer
  }

  /** Whether the buffer was taken from this pool and not returned. */
  owns(buffer: Buffer): boolean {
    return this.#out.has(buffer.buffer)
  }

  /**
   * Returns a buffer to the pool. If `buffer` is a slice, the whole buffer is returned. Throws if
   * the buffer was not taken from this pool.
   */
  give(buffer: Buffer): void {
    const memory = buffer.buffer as ArrayBuffer
    if (!this.#out.delete(memory)) throw new Error('the buffer was not taken from this pool, or was returned twice')
    const size = memory.byteLength
    this.#onGive?.(Buffer.from(memory))
    if (size > MAX_POOLED) return
    const same = this.#idle.get(size)
    this.#idle.delete(size)
    if (same) same.push(memory)
    this.#idle.set(size, same ?? [memory])
    this.#idleBytes += size
    if (this.#idleBytes > this.#maxIdle) this.#shrink()
  }

  /**
   * Drops unused buffers until the pool is within its limit. Starts with the buffers of the least
   * recently returned size.
   */
  #shrink(): void {
    for (const [size, idle] of this.#idle) {
      while (idle.length > 0 && this.#idleBytes > this.#maxIdle) {
        idle.pop()
        this.#idleBytes -= size
      }
      if (this.#idleBytes <= this.#maxIdle) return
      this.#idle.delete(size)
    }
  }
}

/**
 * Rounds a size up to one of the pool's sizes, so that returned buffers fit later requests. The
 * result is at most a quarter larger, except for the smallest size.
 */
function sizeFor(bytes: number): number {
  const step = Math.max(MIN_STEP, 2 ** (31 - STEPS - Math.clz32(Math.max(1, bytes - 1))))
  return Math.max(1, Math.ceil(bytes / step)) * step
}
