import { Traffic } from '../client/net/traffic.ts'
import type {
  ClientTraffic,
  Consumer,
  ConsumerBatch,
  GroupMetadata,
  OffsetAndMetadata,
  PartitionInfo,
  RebalanceListener,
  TopicPartition,
  TopicPartitionOffset,
} from '../client/types.ts'
import { Signal } from '../common/async/signal.ts'
import type { MemoryLog } from './memory-log.ts'

const keyOf = (p: TopicPartition): string => `${p.topic}-${p.partition}`
const MAX_POLL_RECORDS = 500
/** The longest wait of a poll, in milliseconds: an idle sink gets its empty `put` this often. */
const MAX_WAIT_MS = 50

/**
 * The state of a consumer group: its committed offsets, its members and the partitions that they
 * share.
 */
export class MemoryGroup {
  /** The committed offsets, by `topic-partition`. */
  readonly committed = new Map<string, number>()
  /** Called after each commit. */
  onCommit: (offsets: readonly TopicPartitionOffset[]) => void = () => {}
  /** The partitions that the consumer does not get. */
  readonly withheld = new Set<string>()
  /** The consumers of the group. They share the partitions. */
  readonly members: object[] = []
  /** Whether withheld partitions are lost rather than revoked. */
  lost = false
  readonly #crashed = new WeakSet<object>()

  /** Removes all members without a rebalance, as a crash of the worker does. */
  crash(): void {
    for (const member of this.members.splice(0)) this.#crashed.add(member)
  }

  /** Whether the worker of this member has crashed. */
  hasCrashed(member: object): boolean {
    return this.#crashed.has(member)
  }
}

/** A consumer that reads from memory. Rebalances happen within `poll`, as with a broker. */
export class MemoryConsumer implements Consumer {
  readonly #log: MemoryLog
  readonly #group: MemoryGroup
  readonly #woken = new Signal()
  #topics: readonly string[] | RegExp = []
  #listener: RebalanceListener | undefined
  #assigned: TopicPartition[] = []
  readonly #positions = new Map<string, number>()
  readonly #paused = new Map<string, TopicPartition>()

  constructor(log: MemoryLog, group: MemoryGroup) {
    this.#log = log
    this.#group = group
  }

  subscribe(topics: readonly string[] | RegExp, listener?: RebalanceListener): void {
    this.#topics = topics
    this.#listener = listener
    this.#group.members.push(this)
  }

  async poll(timeoutMs: number, signal?: AbortSignal): Promise<readonly ConsumerBatch[]> {
    if (!this.#group.hasCrashed(this)) await this.#rebalance()
    let batches = this.#take()
    if (batches.length === 0 && timeoutMs > 0) {
      const wait = Math.min(timeoutMs, MAX_WAIT_MS)
      await Promise.race([this.#log.changed.next(wait, signal), this.#woken.next(wait, signal)])
      batches = this.#take()
    }
    return batches
  }

  async #rebalance(): Promise<void> {
    const { members } = this.#group
    const wanted = this.subscription()
      .flatMap(topic => this.#log.partitionsOf(topic).map(partition => ({ topic, partition })))
      .filter((p, n) => !this.#group.withheld.has(keyOf(p)) && members[n % members.length] === this)
    const before = new Set(this.#assigned.map(keyOf))
    const after = new Set(wanted.map(keyOf))
    const revoked = this.#assigned.filter(p => !after.has(keyOf(p)))
    const assigned = wanted.filter(p => !before.has(keyOf(p)))
    if (revoked.length > 0) {
      if (this.#group.lost) await this.#listener?.onPartitionsLost?.(revoked)
      else await this.#listener?.onPartitionsRevoked?.(revoked)
      for (const p of revoked) this.#paused.delete(keyOf(p))
    }
    if (revoked.length === 0 && assigned.length === 0) return
    this.#assigned = wanted
    for (const p of assigned) this.#positions.set(keyOf(p), this.#group.committed.get(keyOf(p)) ?? 0)
    if (assigned.length > 0) await this.#listener?.onPartitionsAssigned?.(assigned)
  }

  #take(): ConsumerBatch[] {
    if (this.#group.hasCrashed(this)) return []
    const batches: ConsumerBatch[] = []
    let room = MAX_POLL_RECORDS
    for (const { topic, partition } of this.#assigned) {
      const key = keyOf({ topic, partition })
      if (this.#paused.has(key) || room === 0) continue
      const log = this.#log.records(topic, partition)
      const position = this.#positions.get(key) ?? 0
      const records = log.slice(position, position + room)
      if (records.length === 0) continue
      room -= records.length
      this.#positions.set(key, position + records.length)
      batches.push({ topic, partition, records, highWatermark: log.length })
    }
    return batches
  }

  wakeup(): void {
    this.#woken.notify()
  }

  async commit(offsets: readonly TopicPartitionOffset[] = []): Promise<void> {
    if (this.#group.hasCrashed(this)) return
    for (const o of offsets) this.#group.committed.set(keyOf(o), o.offset)
    this.#group.onCommit(offsets)
  }

  subscription(): readonly string[] {
    const topics = this.#topics
    return topics instanceof RegExp ? this.#log.topics().filter(topic => topics.test(topic)) : topics
  }

  missingTopics(): readonly string[] {
    return this.subscription().filter(topic => this.#log.partitionsOf(topic).length === 0)
  }

  assign(partitions: readonly TopicPartition[]): void {
    this.#assigned = [...partitions]
  }

  async unsubscribe(): Promise<void> {
    this.#assigned = []
  }

  assignment(): readonly TopicPartition[] {
    return this.#assigned
  }

  async committed(partitions: readonly TopicPartition[]): Promise<(OffsetAndMetadata | null)[]> {
    return partitions.map(p => {
      const offset = this.#group.committed.get(keyOf(p))
      return offset === undefined ? null : { offset }
    })
  }

  position(partition: TopicPartition): number | null {
    return this.#positions.get(keyOf(partition)) ?? null
  }

  seek(partition: TopicPartition, offset: number): void {
    this.#positions.set(keyOf(partition), offset)
  }

  seekToBeginning(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) this.#positions.set(keyOf(p), 0)
  }

  seekToEnd(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) this.#positions.set(keyOf(p), this.#log.records(p.topic, p.partition).length)
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) this.#paused.set(keyOf(p), p)
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) this.#paused.delete(keyOf(p))
  }

  paused(): readonly TopicPartition[] {
    return [...this.#paused.values()]
  }

  async beginningOffsets(partitions: readonly TopicPartition[]): Promise<number[]> {
    return partitions.map(() => 0)
  }

  async endOffsets(partitions: readonly TopicPartition[]): Promise<number[]> {
    return partitions.map(p => this.#log.records(p.topic, p.partition).length)
  }

  async offsetsForTimes(
    queries: readonly (TopicPartition & { readonly timestamp: number })[],
  ): Promise<(number | null)[]> {
    return queries.map(q => {
      const found = this.#log.records(q.topic, q.partition).find(r => r.timestamp >= q.timestamp)
      return found?.offset ?? null
    })
  }

  async partitionsFor(topic: string): Promise<readonly PartitionInfo[]> {
    return this.#log.partitionsOf(topic).map(partition => ({ topic, partition, leader: 0, replicas: [0], isr: [0] }))
  }

  joining(): null {
    return null
  }

  groupMetadata(): GroupMetadata | null {
    return null
  }

  traffic(): ClientTraffic {
    return new Traffic()
  }

  async close(): Promise<void> {
    const { members } = this.#group
    if (members.includes(this)) members.splice(members.indexOf(this), 1)
    this.#assigned = []
  }
}
