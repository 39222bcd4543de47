import { BufferPool } from '../../../common/buffer-pool.ts'

/** A buffer that contains copies of appends to any partitions, in order of arrival. */
export class Slab {
  readonly memory: Buffer
  used = 0
  /** The number of appends in the slab that are still in the cache. */
  chunks = 0
  /** The number of reads that use parts of the slab and have not released them. */
  readers = 0

  constructor(memory: Buffer) {
    this.memory = memory
  }
}

/** One append in the cache, with its offsets in its partition. */
export interface TailChunk {
  readonly owner: PartitionTail
  readonly slab: Slab
  /** The position of the append in the slab. */
  readonly at: number
  readonly length: number
  readonly baseOffset: number
  readonly lastOffset: number
  /** The number of bytes appended to the partition before this append, since the log was opened. */
  readonly start: number
  /**
   * The append that was cached before this one, of any partition. `newer` is the append that was
   * cached after this one.
   */
  older: TailChunk | null
  newer: TailChunk | null
}

/**
 * The maximum slab size. A small cache uses smaller slabs, because a slab is kept until its last
 * append is evicted.
 */
const SLAB_BYTES = 256 << 10
const SLABS = 16
/** An append that is larger than this fraction of the slab size gets its own slab. */
const SEPARATE_SLAB_FRACTION = 1 / 4

/**
 * Caches the most recent appends of all partitions, for consumers that are close to the end of the
 * log. Appends are copied, because their original buffer belongs to the producer's connection. The
 * limit counts whole slabs. The oldest append of any partition is evicted first. A slab is reused
 * once all its appends are evicted and all readers have released the slab. A slab that a reader
 * never releases is garbage collected.
 */
export class TailCache {
  readonly #limit: number
  readonly #partitionLimit: number
  readonly #pool: BufferPool
  readonly #slabBytes: number
  #current: Slab | null = null
  #used = 0
  #oldest: TailChunk | null = null
  #newest: TailChunk | null = null

  constructor(limit = 64 << 20, partitionLimit = 4 << 20, pool = new BufferPool()) {
    this.#limit = limit
    this.#partitionLimit = partitionLimit
    this.#pool = pool
    this.#slabBytes = Math.min(SLAB_BYTES, Math.floor(limit / SLABS))
  }

  /** The total size of the slabs in use, in bytes. */
  get used(): number {
    return this.#used
  }

  get partitionLimit(): number {
    return this.#partitionLimit
  }

  get enabled(): boolean {
    return this.#limit > 0 && this.#partitionLimit > 0
  }

  /**
   * Copies the bytes of an append to the free part of a slab, which starts at `slab.used`. Returns
   * the slab. The caller must immediately call `add` with the chunk.
   */
  store(bytes: Buffer): Slab {
    const slab = this.#slabFor(bytes.length)
    bytes.copy(slab.memory, slab.used)
    return slab
  }

  #slabFor(length: number): Slab {
    if (length > this.#slabBytes * SEPARATE_SLAB_FRACTION) return this.#newSlab(length)
    const current = this.#current
    if (current !== null && current.used + length <= current.memory.length) return current
    this.#current = this.#newSlab(this.#slabBytes)
    return this.#current
  }

  #newSlab(bytes: number): Slab {
    this.#used += bytes
    return new Slab(this.#pool.take(bytes))
  }

  /** Adds a chunk, and evicts the oldest chunks to stay within the limit. */
  add(chunk: TailChunk): void {
    chunk.slab.used += chunk.length
    chunk.slab.chunks++
    chunk.older = this.#newest
    if (this.#newest === null) this.#oldest = chunk
    else this.#newest.newer = chunk
    this.#newest = chunk
    while (this.#used > this.#limit && this.#oldest !== null) this.#oldest.owner.evictFirst()
  }

  /** Removes a chunk that its partition's tail has evicted. */
  drop(chunk: TailChunk): void {
    const { older, newer, slab } = chunk
    if (older === null) this.#oldest = newer
    else older.newer = newer
    if (newer === null) this.#newest = older
    else newer.older = older
    chunk.older = null
    chunk.newer = null
    if (--slab.chunks > 0) return
    this.#used -= slab.memory.length
    if (slab === this.#current) this.#current = null
    if (slab.readers === 0) this.#pool.give(slab.memory)
  }

  /** Protects a slab from reuse while a reader uses parts of it. */
  retain(slab: Slab): void {
    slab.readers++
  }

  release(slab: Slab): void {
    if (--slab.readers === 0 && slab.chunks === 0) this.#pool.give(slab.memory)
  }
}

/** The cached appends of one partition. They are consecutive and end at the log end offset. */
export class PartitionTail {
  readonly cache: TailCache
  /** The chunks in offset order. Entries before `#head` are null, because they were evicted. */
  #chunks: (TailChunk | null)[] = []
  #head = 0
  #bytes = 0
  /** The number of bytes appended since the log was opened. */
  #end = 0

  constructor(cache: TailCache) {
    this.cache = cache
  }

  /** The first cached offset, or -1 if nothing is cached. */
  get firstOffset(): number {
    return this.#head < this.#chunks.length ? this.#chunks[this.#head]!.baseOffset : -1
  }

  /** Copies an append into the cache. */
  push(bytes: Buffer, baseOffset: number, lastOffset: number): void {
    const start = this.#end
    this.#end += bytes.length
    if (!this.cache.enabled) return
    const slab = this.cache.store(bytes)
    const chunk: TailChunk = {
      owner: this,
      slab,
      at: slab.used,
      length: bytes.length,
      baseOffset,
      lastOffset,
      start,
      older: null,
      newer: null,
    }
    this.#chunks.push(chunk)
    this.#bytes += bytes.length
    this.cache.add(chunk)
    while (this.#bytes > this.cache.partitionLimit && this.#head < this.#chunks.length) this.evictFirst()
  }

  /** Evicts the oldest append. */
  evictFirst(): void {
    const chunk = this.#chunks[this.#head]
    if (chunk === undefined || chunk === null) return
    this.#chunks[this.#head++] = null
    this.#bytes -= chunk.length
    this.cache.drop(chunk)
    if (this.#head === this.#chunks.length) {
      this.#chunks = []
      this.#head = 0
    } else if (this.#head > 64 && this.#head * 2 > this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#head)
      this.#head = 0
    }
  }

  /** Evicts the appends below an offset. */
  evictBelow(offset: number): void {
    for (
      let first = this.chunk(this.#head);
      first !== undefined && first.lastOffset < offset;
      first = this.chunk(this.#head)
    ) {
      this.evictFirst()
    }
  }

  clear(): void {
    while (this.#head < this.#chunks.length) this.evictFirst()
  }

  /**
   * Returns the index of the chunk that contains an offset, or -1 if the offset is not in memory.
   * Pass the index to `chunk`.
   */
  find(offset: number): number {
    const chunks = this.#chunks
    let low = this.#head
    let high = chunks.length - 1
    if (high < low || offset < chunks[low]!.baseOffset || offset > chunks[high]!.lastOffset) return -1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (chunks[middle]!.lastOffset < offset) low = middle + 1
      else high = middle
    }
    return low
  }

  chunk(n: number): TailChunk | undefined {
    return this.#chunks[n] ?? undefined
  }

  /**
   * Returns the approximate number of bytes in memory from an offset on, or -1 if the offset is not
   * in memory.
   */
  bytesFrom(offset: number): number {
    const n = this.find(offset)
    return n < 0 ? -1 : this.#end - this.#chunks[n]!.start
  }
}
