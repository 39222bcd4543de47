import type { SourceOffset, SourcePartition, SourceRecord } from '../../connect/record.ts'
import type { RecordMetadata } from '../../connect/source-task.ts'

interface Entry {
  /** Null where nobody will ask for it: it can be forgotten as soon as it is sent. */
  readonly record: SourceRecord | null
  readonly offset: SourceOffset | null
  readonly queue: PartitionQueue | null
  done: boolean
  metadata: RecordMetadata | null
}

/** The records of one source partition that are on their way, oldest at `head`. */
interface PartitionQueue {
  readonly partition: SourcePartition
  entries: Entry[]
  head: number
  /** The offset of the longest prefix that is done, and whether it is still to be committed. */
  offset: SourceOffset | null
  dirty: boolean
}

/** What is known of a record on its way. */
export interface Submitted {
  readonly partition: SourcePartition | null
  readonly offset: SourceOffset | null
}

export interface Completed {
  readonly records: SourceRecord[]
  readonly metadata: (RecordMetadata | null)[]
}

/**
 * Which records of a source task are on their way, and how far each source partition is done: acks come in any order across
 * topics and partitions, but an offset may be committed only when everything before it is done (Connect's SubmittedRecords).
 * At most `capacity` records, a power of two: enough to keep a log busy, few enough to die young in memory. Without
 * `keepRecords` there is no `takeCompleted`.
 */
export class SubmittedRecords {
  readonly #ring: (Entry | undefined)[]
  readonly #mask: number
  readonly #keepRecords: boolean
  #last: PartitionQueue | null = null
  readonly #byText = new Map<string, PartitionQueue>()
  readonly #dirty = new Set<PartitionQueue>()
  #next = 0
  #oldest = 0
  #outstanding = 0
  #completed: Completed = { records: [], metadata: [] }

  constructor(capacity = 16384, keepRecords = true) {
    this.#keepRecords = keepRecords
    this.#ring = new Array(capacity)
    this.#mask = capacity - 1
  }

  /** Records that are neither acked nor dropped. */
  get outstanding(): number {
    return this.#outstanding
  }

  /** Whether `add` must wait. */
  get full(): boolean {
    return this.#next - this.#oldest > this.#mask
  }

  /** Takes a record and returns its token. Must not be called when full. */
  add(record: SourceRecord): number {
    const token = this.#next++
    const queue = record.sourcePartition ? this.#queueOf(record.sourcePartition) : null
    const kept = this.#keepRecords ? record : null
    const entry: Entry = { record: kept, offset: record.sourceOffset, queue, done: false, metadata: null }
    this.#ring[token & this.#mask] = entry
    queue?.entries.push(entry)
    this.#outstanding++
    return token
  }

  /** What is known of a record that is not done. */
  find(token: number): Submitted | null {
    const entry = this.#ring[token & this.#mask]
    return entry ? { partition: entry.queue?.partition ?? null, offset: entry.offset } : null
  }

  /** Takes the newest record back: it was not sent after all. */
  removeLast(token: number): void {
    if (token !== this.#next - 1) throw new RangeError(`record ${token} is not the newest`)
    const entry = this.#ring[token & this.#mask]
    this.#ring[token & this.#mask] = undefined
    entry?.queue?.entries.pop()
    this.#next--
    this.#outstanding--
  }

  /** The record is acked (`metadata`) or dropped (null). */
  done(token: number, metadata: RecordMetadata | null): void {
    const entry = this.#ring[token & this.#mask]
    if (!entry) return
    this.#ring[token & this.#mask] = undefined
    while (this.#oldest < this.#next && this.#ring[this.#oldest & this.#mask] === undefined) this.#oldest++
    this.#outstanding--
    entry.done = true
    entry.metadata = metadata
    if (entry.queue) this.#advance(entry.queue)
    else this.#complete(entry)
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
    }
    this.#dirty.clear()
    return taken
  }

  /** The commit of what was taken failed: it is to be taken again, unless the partition is further by now. */
  giveBack(entries: readonly (readonly [SourcePartition, SourceOffset])[]): void {
    for (const [partition] of entries) this.#mark(this.#queueOf(partition))
  }

  #advance(queue: PartitionQueue): void {
    let { head } = queue
    const { entries } = queue
    const before = head
    while (head < entries.length && entries[head]!.done) {
      const entry = entries[head++]!
      this.#complete(entry)
      if (entry.offset) queue.offset = entry.offset
    }
    if (head === before) return
    queue.head = head
    this.#mark(queue)
    if (head === entries.length) {
      queue.entries = []
      queue.head = 0
    } else if (head > 4096 && head * 2 > entries.length) {
      queue.entries = entries.slice(head)
      queue.head = 0
    }
  }

  #mark(queue: PartitionQueue): void {
    if (queue.dirty) return
    queue.dirty = true
    this.#dirty.add(queue)
  }

  #complete(entry: Entry): void {
    if (!entry.record) return
    this.#completed.records.push(entry.record)
    this.#completed.metadata.push(entry.metadata)
  }

  // Records come in runs of one partition, so its text is rarely made.
  #queueOf(partition: SourcePartition): PartitionQueue {
    if (this.#last && sameFlat(this.#last.partition, partition)) return this.#last
    const text = JSON.stringify(
      Object.entries(partition).sort(([a], [b]) => (a < b ? -1 : 1)),
      (_, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v),
    )
    let queue = this.#byText.get(text)
    if (!queue) {
      queue = { partition, entries: [], head: 0, offset: null, dirty: false }
      this.#byText.set(text, queue)
    }
    this.#last = queue
    return queue
  }
}

/** Whether two partitions are the same object, or equal in plain values. False says nothing. */
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
