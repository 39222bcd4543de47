const LEAST = 16 << 10
/** Larger memory is not kept. */
const MOST_KEPT = 2 << 20
const MAX_IDLE = 8 << 20

/** Reusable memory shared with threads; allocating it for each batch would cost more. */
export class SharedMemory {
  readonly #idle = new Map<number, SharedArrayBuffer[]>()
  #idleBytes = 0

  /** At least this many uninitialized bytes. */
  take(bytes: number): SharedArrayBuffer {
    const size = sizeFor(bytes)
    const memory = this.#idle.get(size)?.pop()
    if (memory === undefined) return new SharedArrayBuffer(size)
    this.#idleBytes -= size
    return memory
  }

  give(memory: SharedArrayBuffer): void {
    const size = memory.byteLength
    if (size > MOST_KEPT || this.#idleBytes + size > MAX_IDLE) return
    const same = this.#idle.get(size)
    if (same === undefined) this.#idle.set(size, [memory])
    else same.push(memory)
    this.#idleBytes += size
  }
}

function sizeFor(bytes: number): number {
  if (bytes > MOST_KEPT) return bytes
  return Math.max(LEAST, 2 ** (32 - Math.clz32(bytes - 1)))
}
