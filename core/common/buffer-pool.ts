/** Steps of sizes between one power of two and the next, as a shift: four. */
const STEPS = 2
const MIN_STEP = 2048
/** Larger memory is not kept. */
const MAX_POOLED = 8 << 20

export interface BufferPoolOptions {
  /** What is kept for later, in bytes. Default 16 MiB. */
  readonly maxIdleBytes?: number
  /** Called with memory that comes back: tests spoil it, so that who still reads it is found. */
  readonly onGive?: (memory: Buffer) => void
}

/**
 * Memory that is used again instead of being left to the garbage collector: fresh buffers for all that passes through a broker keep V8 marking, which
 * took a third of its time.
 *
 * Who takes memory may give it back once nothing refers to it any more, and only then; whether a socket or a thread still reads it counts too. Who is not sure does not
 * give it back: it is then collected as any other.
 */
export class BufferPool {
  readonly #maxIdle: number
  readonly #onGive: ((memory: Buffer) => void) | undefined
  /** By size, the size used last at the end. */
  readonly #idle = new Map<number, ArrayBuffer[]>()
  #idleBytes = 0
  /** Taken and not given back. */
  readonly #out = new WeakSet<ArrayBufferLike>()

  constructor(o: BufferPoolOptions = {}) {
    this.#maxIdle = o.maxIdleBytes ?? 16 << 20
    this.#onGive = o.onGive
  }

  /** What is kept for later, in bytes. */
  get idleBytes(): number {
    return this.#idleBytes
  }

  /** A buffer of that many bytes. Its content is arbitrary. */
  take(bytes: number): Buffer {
    const size = sizeFor(bytes)
    const memory = this.#idle.get(size)?.pop()
    if (memory) this.#idleBytes -= size
    const buffer = memory ? Buffer.from(memory, 0, bytes) : Buffer.allocUnsafeSlow(size).subarray(0, bytes)
    this.#out.add(buffer.buffer)
    return buffer
  }

  /** Whether memory is the pool's, and not given back. */
  owns(buffer: Buffer): boolean {
    return this.#out.has(buffer.buffer)
  }

  /** Gives back what `take` gave, or any part of it for all of it. Throws when it is not out: somebody else may have it already. */
  give(buffer: Buffer): void {
    const memory = buffer.buffer as ArrayBuffer
    if (!this.#out.delete(memory)) throw new Error('memory was given back that was not taken, or twice')
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

  /** Lets go of what was not asked for the longest. */
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

/** Few sizes, so that what comes back fits what is asked for next; at most a quarter is unused, but for the smallest. */
function sizeFor(bytes: number): number {
  const step = Math.max(MIN_STEP, 2 ** (31 - STEPS - Math.clz32(Math.max(1, bytes - 1))))
  return Math.max(1, Math.ceil(bytes / step)) * step
}
