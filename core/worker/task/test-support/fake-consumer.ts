import { Traffic } from '../../../client/net/traffic.ts'
import type {
  ClientTraffic,
  Consumer,
  ConsumerBatch,
  ConsumerRecord,
  OffsetAndMetadata,
  PartitionInfo,
  RebalanceListener,
  TopicPartition,
  TopicPartitionOffset,
} from '../../../client/types.ts'
import { Signal } from '../../../common/async/signal.ts'

const keyOf = (p: TopicPartition): string => `${p.topic}-${p.partition}`

export function consumed(
  topic: string,
  partition: number,
  offset: number,
  value: string | null,
  leaderEpoch = 0,
): ConsumerRecord {
  const bytes = value === null ? null : Buffer.from(value)
  return {
    topic,
    partition,
    offset,
    timestamp: 1000 + offset,
    timestampType: 0,
    key: Buffer.from(`k${offset}`),
    value: bytes,
    headers: [],
    leaderEpoch,
  }
}

/**
 * A consumer that reads in-memory logs. Tests add functions to `script`, which run during `poll`,
 * for example to rebalance.
 */
export class FakeConsumer implements Consumer {
  readonly log = new Map<string, ConsumerRecord[]>()
  readonly commits: TopicPartitionOffset[][] = []
  /** The start offsets of partitions whose first records were deleted. */
  readonly startOffsets = new Map<string, number>()
  readonly committedOffsets = new Map<string, number>()
  /** Each poll first removes and calls the next of these functions. */
  readonly script: (() => Promise<void> | void)[] = []
  maxPollRecords = 500
  failCommits: Error | null = null
  polls = 0
  matching: string[] = ['t']
  missing: string[] = []
  /** Returns the leader epoch of the record that is produced at an offset. */
  epochOf: (offset: number) => number = () => 0
  closed = false
  #listener: RebalanceListener | undefined
  #assigned: TopicPartition[] = []
  #positions = new Map<string, number>()
  #paused = new Map<string, TopicPartition>()
  readonly #changed = new Signal()

  produce(topic: string, partition: number, values: readonly (string | null)[]): void {
    const key = keyOf({ topic, partition })
    const log = this.log.get(key) ?? []
    for (const value of values) log.push(consumed(topic, partition, log.length, value, this.epochOf(log.length)))
    this.log.set(key, log)
    this.#changed.notify()
  }

  subscribe(_topics: readonly string[] | RegExp, listener?: RebalanceListener): void {
    this.#listener = listener
  }

  async give(partitions: readonly TopicPartition[]): Promise<void> {
    this.#assigned.push(...partitions)
    for (const p of partitions) this.#positions.set(keyOf(p), this.committedOffsets.get(keyOf(p)) ?? 0)
    await this.#listener?.onPartitionsAssigned?.(partitions)
  }

  async take(partitions: readonly TopicPartition[], lost = false): Promise<void> {
    const taken = new Set(partitions.map(keyOf))
    if (lost) await this.#listener?.onPartitionsLost?.(partitions)
    else await this.#listener?.onPartitionsRevoked?.(partitions)
    this.#assigned = this.#assigned.filter(p => !taken.has(keyOf(p)))
    for (const key of taken) this.#paused.delete(key)
  }

  async poll(timeoutMs: number, signal?: AbortSignal): Promise<readonly ConsumerBatch[]> {
    this.polls++
    await this.script.shift()?.()
    if (!this.#hasData()) await this.#changed.next(Math.min(timeoutMs, 20), signal)
    const out: ConsumerBatch[] = []
    let left = this.maxPollRecords
    for (const p of this.#assigned) {
      if (this.#paused.has(keyOf(p)) || left === 0) continue
      const log = this.log.get(keyOf(p)) ?? []
      const at = this.#positions.get(keyOf(p)) ?? 0
      const records = log.slice(at, at + left)
      if (records.length === 0) continue
      left -= records.length
      this.#positions.set(keyOf(p), at + records.length)
      out.push({ ...p, records, highWatermark: log.length })
    }
    return out
  }

  wakeup(): void {
    this.#changed.notify()
  }

  async commit(offsets: readonly TopicPartitionOffset[] = []): Promise<void> {
    if (this.failCommits) throw this.failCommits
    this.commits.push([...offsets])
    for (const o of offsets) this.committedOffsets.set(keyOf(o), o.offset)
  }

  subscription(): readonly string[] {
    return this.matching
  }

  missingTopics(): readonly string[] {
    return this.missing
  }

  assignment(): readonly TopicPartition[] {
    return this.#assigned
  }

  assign(partitions: readonly TopicPartition[]): void {
    this.#assigned = [...partitions]
  }

  seek(partition: TopicPartition, offset: number): void {
    this.#positions.set(keyOf(partition), offset)
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

  position(partition: TopicPartition): number | null {
    return this.#positions.get(keyOf(partition)) ?? null
  }

  traffic(): ClientTraffic {
    return new Traffic()
  }

  async close(): Promise<void> {
    this.closed = true
  }

  async unsubscribe(): Promise<void> {}
  seekToBeginning(): void {}
  seekToEnd(): void {}

  async committed(): Promise<(OffsetAndMetadata | null)[]> {
    return []
  }

  async beginningOffsets(partitions: readonly TopicPartition[]): Promise<number[]> {
    return partitions.map(p => this.startOffsets.get(keyOf(p)) ?? 0)
  }

  async endOffsets(partitions: readonly TopicPartition[]): Promise<number[]> {
    return partitions.map(p => this.log.get(keyOf(p))?.length ?? 0)
  }

  async offsetsForTimes(): Promise<(number | null)[]> {
    return []
  }

  async partitionsFor(): Promise<readonly PartitionInfo[]> {
    return []
  }

  groupMetadata(): null {
    return null
  }

  joining(): null {
    return null
  }

  #hasData(): boolean {
    return this.#assigned.some(
      p => !this.#paused.has(keyOf(p)) && (this.log.get(keyOf(p))?.length ?? 0) > (this.#positions.get(keyOf(p)) ?? 0),
    )
  }
}
