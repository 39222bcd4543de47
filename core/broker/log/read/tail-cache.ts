import { BufferPool } from '../../../common/buffer-pool.ts'

/** Memory with appends of any partitions, in the order in which they came. */
export class Slab {
  readonly memory: Buffer
  used = 0
  /** Appends in it that are still in the cache. */
  chunks = 0
  /** Reads that were given parts of it and have not returned them. */
  lent = 0

  constructor(memory: Buffer) {
    this.memory = memory
  }
}

/** One append in memory, with where it is in its partition. */
export interface TailChunk {
  readonly owner: PartitionTail
  readonly slab: Slab
  /** Its place in the slab. */
  readonly at: number
  readonly length: number
  readonly baseOffset: number
  readonly lastOffset: number
  /** Bytes appended to the partition before it, since it was opened. */
  readonly start: number
  /** Neighbours in the order of appends over all partitions. */
  older: TailChunk | null
  newer: TailChunk | null
}

/** A small cache has small slabs, since a slab is there as long as any of its appends. */
const SLAB_BYTES = 256 << 10
const SLABS = 16
/** Appends larger than this part of a slab have one of their own. */
const OWN_ABOVE = 1 / 4

/**
 * The most recent appends of all partitions, for readers that keep up. They are copies: the memory that they came in is the producer's connection's.
 * Bounded by the slabs that the copies lie in. The oldest append goes first, whosever it is. A slab is used again when all of its appends are gone
 * and all readers have returned what they were lent; what a reader does not return is left to the garbage collector.
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

  /** Memory held now, in bytes. */
  get used(): number {
    return this.#used
  }

  get partitionLimit(): number {
    return this.#partitionLimit
  }

  get enabled(): boolean {
    return this.#limit > 0 && this.#partitionLimit > 0
  }

  /** Copies bytes to a slab, where they begin at its `used` as it was before. The chunk that they become is to be added at once. */
  store(bytes: Buffer): Slab {
    const slab = this.#slabFor(bytes.length)
    bytes.copy(slab.memory, slab.used)
    return slab
  }

  #slabFor(length: number): Slab {
    if (length > this.#slabBytes * OWN_ABOVE) return this.#newSlab(length)
    const current = this.#current
    if (current !== null && current.used + length <= current.memory.length) return current
    this.#current = this.#newSlab(this.#slabBytes)
    return this.#current
  }

  #newSlab(bytes: number): Slab {
    this.#used += bytes
    return new Slab(this.#pool.take(bytes))
  }

  /** Accounts for a chunk and makes room for it. */
  add(chunk: TailChunk): void {
    chunk.slab.used += chunk.length
    chunk.slab.chunks++
    chunk.older = this.#newest
    if (this.#newest === null) this.#oldest = chunk
    else this.#newest.newer = chunk
    this.#newest = chunk
    while (this.#used > this.#limit && this.#oldest !== null) this.#oldest.owner.evictFirst()
  }

  /** A chunk left its partition's tail. */
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
    if (slab.lent === 0) this.#pool.give(slab.memory)
  }

  /** A reader has got parts of a slab: until it says that it is done with them they stay as they are. */
  lend(slab: Slab): void {
    slab.lent++
  }

  takeBack(slab: Slab): void {
    if (--slab.lent === 0 && slab.chunks === 0) this.#pool.give(slab.memory)
  }
}

/** One partition's part of the cache: appends in a row up to the log's end. */
export class PartitionTail {
  readonly cache: TailCache
  /** From `#head` on; what is before it is gone. */
  #chunks: (TailChunk | null)[] = []
  #head = 0
  #bytes = 0
  /** Bytes appended since the log was opened. */
  #end = 0

  constructor(cache: TailCache) {
    this.cache = cache
  }

  /** The first offset in memory; -1 when there is none. */
  get firstOffset(): number {
    return this.#head < this.#chunks.length ? this.#chunks[this.#head]!.baseOffset : -1
  }

  /** Keeps a copy. */
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

  /** Forgets the oldest append. */
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

  /** Forgets what lies below an offset: the disk has less of it now. */
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

  /** The number of the chunk that holds an offset; -1 when it is not in memory. Pass it to `chunk`. */
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

  /** About how many bytes are in memory from an offset on; -1 when it is not in memory. */
  bytesFrom(offset: number): number {
    const n = this.find(offset)
    return n < 0 ? -1 : this.#end - this.#chunks[n]!.start
  }
}
