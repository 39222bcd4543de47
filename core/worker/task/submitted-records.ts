import type { SourceOffset, SourcePartition, SourceRecord } from '../../connect/record.ts'
import type { RecordMetadata } from '../../connect/source-task.ts'

interface Entry {
  readonly record: SourceRecord
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

export interface Completed {
  readonly records: SourceRecord[]
  readonly metadata: (RecordMetadata | null)[]
}

/**
 * Which records of a source task are on their way, and how far each source partition is done: acks come in any order across
 * topics and partitions, but an offset may be committed only when everything before it is done (Connect's SubmittedRecords).
 * At most `capacity` records, a power of two.
 */
export class SubmittedRecords {
  readonly #ring: (Entry | undefined)[]
  readonly #mask: number
  readonly #byIdentity = new WeakMap<SourcePartition, PartitionQueue>()
  readonly #byText = new Map<string, PartitionQueue>()
  readonly #dirty = new Set<PartitionQueue>()
  #next = 0
  #oldest = 0
  #outstanding = 0
  #completed: Completed = { records: [], metadata: [] }

  constructor(capacity = 65536) {
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
    const entry: Entry = { record, queue, done: false, metadata: null }
    this.#ring[token & this.#mask] = entry
    queue?.entries.push(entry)
    this.#outstanding++
    return token
  }

  /** The record of a token that is not done. */
  recordOf(token: number): SourceRecord | undefined {
    return this.#ring[token & this.#mask]?.record
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
      if (entry.record.sourceOffset) queue.offset = entry.record.sourceOffset
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
    this.#completed.records.push(entry.record)
    this.#completed.metadata.push(entry.metadata)
  }

  // Tasks nearly always give the same object for a partition, so its text is rarely made.
  #queueOf(partition: SourcePartition): PartitionQueue {
    let queue = this.#byIdentity.get(partition)
    if (queue) return queue
    const text = JSON.stringify(
      Object.entries(partition).sort(([a], [b]) => (a < b ? -1 : 1)),
      (_, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v),
    )
    queue = this.#byText.get(text)
    if (!queue) {
      queue = { partition, entries: [], head: 0, offset: null, dirty: false }
      this.#byText.set(text, queue)
    }
    this.#byIdentity.set(partition, queue)
    return queue
  }
}
