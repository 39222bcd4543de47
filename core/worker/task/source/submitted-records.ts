import type { SourceOffset, SourcePartition, SourceRecord } from '../../../connect/record.ts'
import type { RecordMetadata } from '../../../connect/source-task.ts'

/**
 * The records of one source partition that are not acked yet, as a list through the ring's slots.
 */
interface PartitionQueue {
  readonly partition: SourcePartition
  /** Its key in the map of queues. */
  readonly text: string
  /** Slots of the oldest and the newest of these records; `NONE` when there are none. */
  head: number
  tail: number
  /** The offset of the longest acked prefix, and whether it still has to be committed. */
  offset: SourceOffset | null
  dirty: boolean
}

/** The state of a record that is not acked yet. */
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
/** Neither acked nor dropped. */
const SENT = 1
/** Acked or dropped, while an older record of its partition is not. */
const DONE = 2

/**
 * Tracks the records of a source task from `add` to the ack, and how far each source partition is
 * acked. Acks come in any order across topics and partitions, but an offset may be committed only
 * when everything before it is done (Connect's SubmittedRecords). Holds at most `capacity` records,
 * a power of two. Without `keepRecords`, `takeCompleted` returns nothing. Each field of the records
 * has its own array, so that a record in flight needs no object.
 */
export class SubmittedRecords {
  readonly #mask: number
  readonly #keepRecords: boolean
  readonly #states: Uint8Array
  readonly #offsets: (SourceOffset | null)[]
  readonly #queues: (PartitionQueue | null)[]
  /** The neighbours in the queue, by slot. */
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

  /** Records that are neither acked nor dropped. */
  get outstanding(): number {
    return this.#outstanding
  }

  /** Source partitions with records that are not acked, or with an offset to commit. */
  get partitions(): number {
    return this.#byText.size
  }

  /** The token that the next record will have. */
  get next(): number {
    return this.#next
  }

  /** The token of the oldest record that is not acknowledged. */
  get oldest(): number {
    return this.#oldest
  }

  /** Whether `add` must wait. */
  get full(): boolean {
    return this.#next - this.#oldest > this.#mask
  }

  /** Takes a record and returns its token. Must not be called when full. */
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

  /** The state of a record that is not acked; null otherwise. */
  find(token: number): Submitted | null {
    const slot = token & this.#mask
    if (this.#states[slot] !== SENT) return null
    return { partition: this.#queues[slot]?.partition ?? null, offset: this.#offsets[slot] ?? null }
  }

  /** Takes the newest record back: it was not sent after all. */
  removeLast(token: number): void {
    if (token !== this.#next - 1) throw new RangeError(`record ${token} is not the newest`)
    const slot = token & this.#mask
    const queue = this.#queues[slot]
    if (queue) {
      queue.tail = this.#before[slot]!
      if (queue.tail === NONE) queue.head = NONE
      else this.#after[queue.tail] = NONE
      if (queue.head === NONE && !queue.dirty) this.#forget(queue)
    }
    this.#free(slot)
    this.#next--
    this.#outstanding--
  }

  /** The record is acked (`metadata`) or dropped (null). */
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

  /** The records whose partition is done up to them since the last call, in the order of each partition. */
  takeCompleted(): Completed {
    const taken = this.#completed
    if (taken.records.length > 0) this.#completed = { records: [], metadata: [] }
    return taken
  }

  /** The offsets that may be committed and were not taken yet. */
  takeCommittable(): (readonly [SourcePartition, SourceOffset])[] {
    const taken: (readonly [SourcePartition, SourceOffset])[] = []
    for (const queue of this.#dirty) {
      queue.dirty = false
      if (queue.offset) taken.push([queue.partition, queue.offset])
      if (queue.head === NONE) this.#forget(queue)
    }
    this.#dirty.clear()
    return taken
  }

  /**
   * The commit of what was taken failed: the newest offset of each partition is committable again.
   */
  giveBack(entries: readonly (readonly [SourcePartition, SourceOffset])[]): void {
    for (const [partition, offset] of entries) {
      const queue = this.#queueOf(partition)
      queue.offset ??= offset
      this.#mark(queue)
    }
  }

  /** Some connectors use a new source partition for each file: an idle one takes no memory. */
  #forget(queue: PartitionQueue): void {
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

  // Records come in runs of one partition, so its text is rarely built.
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
 * Whether two partitions are the same object, or have equal plain values. May return false for
 * equal ones.
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
