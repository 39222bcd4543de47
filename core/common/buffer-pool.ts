/** There are 2^STEPS buffer sizes between a power of two and the next. */
const STEPS = 2
const MIN_STEP = 2048
/** Larger buffers are not kept. */
const MAX_POOLED = 8 << 20

export interface BufferPoolOptions {
  /** The maximum size of all unused buffers, in bytes. Default: 16 MiB. */
  readonly maxIdleBytes?: number
  /** Called with each returned buffer. Tests overwrite it to detect code that still reads it. */
  readonly onGive?: (memory: Buffer) => void
}

/**
 * A pool of reusable buffers. New buffers for all data that passes through a broker cost a third of
 * its CPU time in garbage collection.
 *
 * Return a buffer only when nothing refers to it any more, including sockets and threads. If that
 * is not certain, do not return it: the garbage collector then frees it.
 */
export class BufferPool {
  readonly #maxIdle: number
  readonly #onGive: ((memory: Buffer) => void) | undefined
  /** The unused buffers by size. The size that was returned last is the last entry. */
  readonly #idle = new Map<number, ArrayBuffer[]>()
  #idleBytes = 0
  /** The buffers that were taken and not returned. */
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
   * Returns a buffer to the pool. A slice returns the whole buffer. Throws if it was not
   * taken.
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

  /** Drops the unused buffers whose size was not returned for the longest time. */
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
 * Rounds up to one of few sizes, so that returned buffers fit later requests. At most a quarter of
 * a buffer is unused, except for the smallest size.
 */
function sizeFor(bytes: number): number {
  const step = Math.max(MIN_STEP, 2 ** (31 - STEPS - Math.clz32(Math.max(1, bytes - 1))))
  return Math.max(1, Math.ceil(bytes / step)) * step
}
