import type { SourceOffset, SourcePartition, SourceRecord } from '../../../connect/record.ts'
import type { RecordMetadata } from '../../../connect/source-task.ts'

/**
 * The unacknowledged records of a source partition. They are a linked list of slots in the ring.
 */
interface PartitionQueue {
  readonly partition: SourcePartition
  /** The key of this queue in the map of queues. */
  readonly text: string
  /** The slots of the oldest and the newest record in the queue; `NONE` for an empty queue. */
  head: number
  tail: number
  /** The last offset before the oldest unacknowledged record. */
  offset: SourceOffset | null
  /** Whether `offset` must still be committed. */
  dirty: boolean
}

/** The source position of an unacknowledged record. */
export interface Submitted {
  readonly partition: SourcePartition | null
  readonly offset: SourceOffset | null
}

export interface Completed {
  readonly records: SourceRecord[]
  readonly metadata: (RecordMetadata | null)[]
}

const NONE = -1

const FREE = 0
/** The record has been neither acknowledged nor dropped. */
const SENT = 1
/** The record was acknowledged or dropped, but an older record of its partition was not. */
const DONE = 2

/**
 * Tracks the records of a source task from `add` to their acknowledgement, like Connect's
 * SubmittedRecords. Acknowledgements arrive in any order, but an offset can be committed only when
 * all earlier records of its source partition are acknowledged or dropped. The maximum number of
 * records is `capacity`, which must be a power of two. Without `keepRecords`, `takeCompleted`
 * returns nothing. Each field of the records has a separate array, so that no object is needed for
 * each record.
 */
export class SubmittedRecords {
  readonly #mask: number
  readonly #keepRecords: boolean
  readonly #states: Uint8Array
  readonly #offsets: (SourceOffset | null)[]
  readonly #queues: (PartitionQueue | null)[]
  /** For each slot, the next and the previous slot of the same partition. */
  readonly #after: Int32Array
  readonly #before: Int32Array
  readonly #records: (SourceRecord | null)[]
  readonly #metadata: (RecordMetadata | null)[]
  #last: PartitionQueue | null = null
  readonly #byText = new Map<string, PartitionQueue>()
  readonly #dirty = new Set<PartitionQueue>()
  #next = 0
  #oldest = 0
  #outstanding = 0
  #completed: Completed = { records: [], metadata: [] }

  constructor(capacity = 16384, keepRecords = true) {
    this.#keepRecords = keepRecords
    this.#mask = capacity - 1
    this.#states = new Uint8Array(capacity)
    this.#offsets = new Array(capacity).fill(null)
    this.#queues = new Array(capacity).fill(null)
    this.#after = new Int32Array(capacity)
    this.#before = new Int32Array(capacity)
    this.#records = new Array(keepRecords ? capacity : 0).fill(null)
    this.#metadata = new Array(keepRecords ? capacity : 0).fill(null)
  }

  /** The number of records that have been neither acknowledged nor dropped. */
  get outstanding(): number {
    return this.#outstanding
  }

  /** The number of source partitions that have unacknowledged records or an uncommitted offset. */
  get partitions(): number {
    return this.#byText.size
  }

  /** The token that the next record will get. */
  get next(): number {
    return this.#next
  }

  /** The token of the oldest record that is still in the ring. */
  get oldest(): number {
    return this.#oldest
  }

  /** Whether the ring is full. `add` must then not be called. */
  get full(): boolean {
    return this.#next - this.#oldest > this.#mask
  }

  /** Adds a record and returns its token. Must not be called while the ring is full. */
  add(record: SourceRecord): number {
    const token = this.#next++
    const slot = token & this.#mask
    const queue = record.sourcePartition ? this.#queueOf(record.sourcePartition) : null
    this.#states[slot] = SENT
    this.#offsets[slot] = record.sourceOffset ?? null
    this.#queues[slot] = queue
    if (this.#keepRecords) this.#records[slot] = record
    if (queue) {
      this.#after[slot] = NONE
      this.#before[slot] = queue.tail
      if (queue.tail === NONE) queue.head = slot
      else this.#after[queue.tail] = slot
      queue.tail = slot
    }
    this.#outstanding++
    return token
  }

  /** Returns the source position of an unacknowledged record; null for any other token. */
  find(token: number): Submitted | null {
    const slot = token & this.#mask
    if (this.#states[slot] !== SENT) return null
    return { partition: this.#queues[slot]?.partition ?? null, offset: this.#offsets[slot] ?? null }
  }

  /** Removes the newest record, which was not sent. */
  removeLast(token: number): void {
    if (token !== this.#next - 1) throw new RangeError(`record ${token} is not the newest`)
    const slot = token & this.#mask
    const queue = this.#queues[slot]
    if (queue) {
      queue.tail = this.#before[slot]!
      if (queue.tail === NONE) queue.head = NONE
      else this.#after[queue.tail] = NONE
      if (queue.head === NONE && !queue.dirty) this.#removeQueue(queue)
    }
    this.#free(slot)
    this.#next--
    this.#outstanding--
  }

  /** Marks a record as acknowledged or, if `metadata` is null, as dropped. */
  done(token: number, metadata: RecordMetadata | null): void {
    const slot = token & this.#mask
    if (this.#states[slot] !== SENT) return
    this.#states[slot] = DONE
    this.#outstanding--
    if (this.#keepRecords) this.#metadata[slot] = metadata
    const queue = this.#queues[slot]
    if (queue) {
      if (queue.head === slot) this.#advance(queue)
    } else {
      this.#complete(slot)
      this.#free(slot)
    }
    while (this.#oldest < this.#next && this.#states[this.#oldest & this.#mask] === FREE) this.#oldest++
  }

  /**
   * Returns the records that were completed since the last call, in order within each source
   * partition. A record is complete when it and all earlier records of its partition are
   * acknowledged or dropped.
   */
  takeCompleted(): Completed {
    const taken = this.#completed
    if (taken.records.length > 0) this.#completed = { records: [], metadata: [] }
    return taken
  }

  /** Returns the offsets that can be committed and that no earlier call has returned. */
  takeCommittable(): (readonly [SourcePartition, SourceOffset])[] {
    const taken: (readonly [SourcePartition, SourceOffset])[] = []
    for (const queue of this.#dirty) {
      queue.dirty = false
      if (queue.offset) taken.push([queue.partition, queue.offset])
      if (queue.head === NONE) this.#removeQueue(queue)
    }
    this.#dirty.clear()
    return taken
  }

  /**
   * Makes offsets committable again after their commit has failed. If a partition already has a
   * newer offset, the newer one is kept.
   */
  restore(entries: readonly (readonly [SourcePartition, SourceOffset])[]): void {
    for (const [partition, offset] of entries) {
      const queue = this.#queueOf(partition)
      queue.offset ??= offset
      this.#mark(queue)
    }
  }

  /**
   * Removes a queue that is no longer needed, because some connectors use a new source partition
   * for each file.
   */
  #removeQueue(queue: PartitionQueue): void {
    this.#byText.delete(queue.text)
    if (this.#last === queue) this.#last = null
  }

  #advance(queue: PartitionQueue): void {
    let slot = queue.head
    while (slot !== NONE && this.#states[slot] === DONE) {
      this.#complete(slot)
      const offset = this.#offsets[slot]
      if (offset) queue.offset = offset
      this.#free(slot)
      slot = this.#after[slot]!
    }
    queue.head = slot
    if (slot === NONE) queue.tail = NONE
    else this.#before[slot] = NONE
    this.#mark(queue)
  }

  #free(slot: number): void {
    this.#states[slot] = FREE
    this.#offsets[slot] = null
    this.#queues[slot] = null
    if (!this.#keepRecords) return
    this.#records[slot] = null
    this.#metadata[slot] = null
  }

  #mark(queue: PartitionQueue): void {
    if (queue.dirty) return
    queue.dirty = true
    this.#dirty.add(queue)
  }

  #complete(slot: number): void {
    if (!this.#keepRecords) return
    this.#completed.records.push(this.#records[slot]!)
    this.#completed.metadata.push(this.#metadata[slot] ?? null)
  }

  // Returns the queue of a source partition. Consecutive records usually have the same partition,
  // so the previous queue is compared first, and the JSON key is rarely computed.
  #queueOf(partition: SourcePartition): PartitionQueue {
    if (this.#last && sameFlat(this.#last.partition, partition)) return this.#last
    const text = JSON.stringify(
      Object.entries(partition).sort(([a], [b]) => (a < b ? -1 : 1)),
      (_, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v),
    )
    let queue = this.#byText.get(text)
    if (!queue) {
      queue = { partition, text, head: NONE, tail: NONE, offset: null, dirty: false }
      this.#byText.set(text, queue)
    }
    this.#last = queue
    return queue
  }
}

/**
 * Returns whether two partitions are the same object or have equal primitive values. Partitions
 * with nested values may be equal even if the result is false.
 */
function sameFlat(a: SourcePartition, b: SourcePartition): boolean {
  if (a === b) return true
  let left = 0
  for (const key in a) {
    if (a[key] !== b[key]) return false
    left++
  }
  for (const _ in b) left--
  return left === 0
}
