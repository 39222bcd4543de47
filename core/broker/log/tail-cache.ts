/** One append's buffer in memory, with where it is in its partition. */
export interface TailChunk {
  readonly owner: PartitionTail
  readonly bytes: Buffer
  readonly baseOffset: number
  readonly lastOffset: number
  /** Bytes appended to the partition before it, since it was opened. */
  readonly start: number
  /** Neighbours in the order of appends over all partitions. */
  older: TailChunk | null
  newer: TailChunk | null
}

/** Memory of this size is shared by small buffers: Node's pool. A slice of something larger is copied when it is a small part of it. */
const COPY_ABOVE = Buffer.poolSize

/**
 * The most recent appends of all partitions, kept as the very buffers that were written, for readers that keep up. Bounded
 * by what the buffers really hold: slices of one ArrayBuffer count it once. The oldest append goes first, whosever it is.
 */
export class TailCache {
  readonly #limit: number
  readonly #partitionLimit: number
  #used = 0
  /** Slices by the memory that they share. */
  readonly #shares = new Map<ArrayBufferLike, number>()
  #oldest: TailChunk | null = null
  #newest: TailChunk | null = null

  constructor(limit = 64 << 20, partitionLimit = 4 << 20) {
    this.#limit = limit
    this.#partitionLimit = partitionLimit
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

  /** Accounts for a chunk and makes room for it. */
  add(chunk: TailChunk): void {
    const memory = chunk.bytes.buffer
    const shares = this.#shares.get(memory) ?? 0
    if (shares === 0) this.#used += memory.byteLength
    this.#shares.set(memory, shares + 1)
    chunk.older = this.#newest
    if (this.#newest === null) this.#oldest = chunk
    else this.#newest.newer = chunk
    this.#newest = chunk
    while (this.#used > this.#limit && this.#oldest !== null) this.#oldest.owner.evictFirst()
  }

  /** A chunk left its partition's tail. */
  drop(chunk: TailChunk): void {
    const { older, newer } = chunk
    if (older === null) this.#oldest = newer
    else older.newer = newer
    if (newer === null) this.#newest = older
    else newer.older = older
    chunk.older = null
    chunk.newer = null
    const memory = chunk.bytes.buffer
    const shares = this.#shares.get(memory) ?? 0
    if (shares > 1) this.#shares.set(memory, shares - 1)
    else if (shares === 1) {
      this.#shares.delete(memory)
      this.#used -= memory.byteLength
    }
  }
}

/** The bytes themselves, or a copy where they are a small part of a large buffer that they would keep alive. */
export function detached(bytes: Buffer): Buffer {
  const held = bytes.buffer.byteLength
  return held > COPY_ABOVE && bytes.length * 4 < held ? Buffer.from(bytes) : bytes
}

/** One partition's part of the cache: appends in a row up to the log's end. */
export class PartitionTail {
  readonly #cache: TailCache
  /** From `#head` on; what is before it is gone. */
  #chunks: (TailChunk | null)[] = []
  #head = 0
  #bytes = 0
  /** Bytes appended since the log was opened. */
  #end = 0

  constructor(cache: TailCache) {
    this.#cache = cache
  }

  /** The first offset in memory; -1 when there is none. */
  get firstOffset(): number {
    return this.#head < this.#chunks.length ? this.#chunks[this.#head]!.baseOffset : -1
  }

  push(bytes: Buffer, baseOffset: number, lastOffset: number): void {
    const start = this.#end
    this.#end += bytes.length
    if (!this.#cache.enabled) return
    const chunk: TailChunk = {
      owner: this,
      bytes: detached(bytes),
      baseOffset,
      lastOffset,
      start,
      older: null,
      newer: null,
    }
    this.#chunks.push(chunk)
    this.#bytes += bytes.length
    this.#cache.add(chunk)
    while (this.#bytes > this.#cache.partitionLimit && this.#head < this.#chunks.length) this.evictFirst()
  }

  /** Forgets the oldest append. */
  evictFirst(): void {
    const chunk = this.#chunks[this.#head]
    if (chunk === undefined || chunk === null) return
    this.#chunks[this.#head++] = null
    this.#bytes -= chunk.bytes.length
    this.#cache.drop(chunk)
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
