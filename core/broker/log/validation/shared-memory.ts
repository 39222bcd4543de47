const MIN_BYTES = 16 << 10
/** Larger blocks are not kept for reuse. */
const MAX_POOLED_BYTES = 2 << 20
const MAX_IDLE_BYTES = 8 << 20

/**
 * A pool of memory blocks that are shared with threads. Reusing a block is cheaper than allocating
 * one for each batch.
 */
export class SharedMemory {
  readonly #idle = new Map<number, SharedArrayBuffer[]>()
  #idleBytes = 0

  /** Returns a block of at least this many bytes. The block may contain old data. */
  take(bytes: number): SharedArrayBuffer {
    const size = sizeFor(bytes)
    const memory = this.#idle.get(size)?.pop()
    if (memory === undefined) return new SharedArrayBuffer(size)
    this.#idleBytes -= size
    return memory
  }

  give(memory: SharedArrayBuffer): void {
    const size = memory.byteLength
    if (size > MAX_POOLED_BYTES || this.#idleBytes + size > MAX_IDLE_BYTES) return
    const same = this.#idle.get(size)
    if (same === undefined) this.#idle.set(size, [memory])
    else same.push(memory)
    this.#idleBytes += size
  }
}

function sizeFor(bytes: number): number {
  if (bytes > MAX_POOLED_BYTES) return bytes
  return Math.max(MIN_BYTES, 2 ** (32 - Math.clz32(bytes - 1)))
}
