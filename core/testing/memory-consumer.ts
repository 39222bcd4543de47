import { clientErrors } from '../client/errors.ts'
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
import type { MemoryGroup } from './memory-group.ts'
import type { MemoryLog } from './memory-log.ts'

interface Assigned extends TopicPartition {
  position: number
  paused: boolean
}

const keyOf = (p: TopicPartition): string => `${p.topic}-${p.partition}`
const MAX_POLL_RECORDS = 500
/** The maximum wait of a poll, in milliseconds. An idle sink gets an empty batch this often. */
const MAX_WAIT_MS = 50

/**
 * A consumer that reads from memory. As in the real consumer, rebalances happen within `poll`, and
 * misuse is an error.
 */
export class MemoryConsumer implements Consumer {
  readonly #log: MemoryLog
  readonly #group: MemoryGroup
  readonly #woken = new Signal()
  #mode: 'none' | 'subscribed' | 'assigned' | 'closed' = 'none'
  #topics: readonly string[] | RegExp = []
  #listener: RebalanceListener | undefined
  /** The assigned partitions, by `topic-partition`. */
  #assigned = new Map<string, Assigned>()
  #isPolling = false
  #wasWoken = false

  constructor(log: MemoryLog, group: MemoryGroup) {
    this.#log = log
    this.#group = group
  }

  subscribe(topics: readonly string[] | RegExp, listener?: RebalanceListener): void {
    this.#check()
    if (this.#mode === 'assigned') throw stateError('the consumer has assigned partitions; call unsubscribe first')
    this.#mode = 'subscribed'
    // With the flags g and y, a RegExp would continue after its last match.
    this.#topics = topics instanceof RegExp ? new RegExp(topics.source, topics.flags.replace(/[gy]/g, '')) : topics
    this.#listener = listener
    if (!this.#group.members.includes(this)) this.#group.members.push(this)
  }

  async poll(timeoutMs: number, signal?: AbortSignal): Promise<readonly ConsumerBatch[]> {
    this.#check()
    if (this.#isPolling) throw stateError('another poll of the consumer is in progress')
    if (this.#mode === 'none') throw stateError('the consumer has no subscription and no assigned partitions')
    this.#isPolling = true
    try {
      const hasCrashed = this.#group.hasCrashed(this)
      if (this.#mode === 'subscribed' && !hasCrashed) await this.#rebalance()
      const batches = this.#take()
      if (batches.length > 0 || timeoutMs <= 0 || this.#wasWoken || signal?.aborted) return batches
      const wait = Math.min(timeoutMs, MAX_WAIT_MS)
      await Promise.race([this.#log.changed.next(wait, signal), this.#woken.next(wait, signal)])
      return this.#take()
    } finally {
      this.#isPolling = false
      this.#wasWoken = false
    }
  }

  async #rebalance(): Promise<void> {
    const { members } = this.#group
    const wanted = this.subscription()
      .flatMap(topic => this.#log.partitionsOf(topic).map(partition => ({ topic, partition })))
      .filter((p, n) => !this.#group.withheld.has(keyOf(p)) && members[n % members.length] === this)
    const after = new Set(wanted.map(keyOf))
    const assigned = wanted.filter(p => !this.#assigned.has(keyOf(p)))
    const revoked = this.assignment().filter(p => !after.has(keyOf(p)))
    await this.#revoke(revoked, this.#group.lost)
    if (assigned.length === 0) return
    this.#replaceAssignment(wanted)
    await this.#listener?.onPartitionsAssigned?.(assigned)
  }

  async #revoke(partitions: readonly TopicPartition[], lost: boolean): Promise<void> {
    if (partitions.length === 0) return
    try {
      if (lost && this.#listener?.onPartitionsLost) await this.#listener.onPartitionsLost(partitions)
      else await this.#listener?.onPartitionsRevoked?.(partitions)
    } finally {
      for (const p of partitions) this.#assigned.delete(keyOf(p))
    }
  }

  /**
   * Replaces the assignment. A partition that was already assigned keeps its position and pause.
   */
  #replaceAssignment(partitions: readonly TopicPartition[]): void {
    const before = this.#assigned
    this.#assigned = new Map(
      partitions.map(({ topic, partition }) => {
        const key = keyOf({ topic, partition })
        const position = this.#group.committed.get(key) ?? 0
        return [key, before.get(key) ?? { topic, partition, position, paused: false }]
      }),
    )
  }

  #take(): ConsumerBatch[] {
    if (this.#group.hasCrashed(this)) return []
    const batches: ConsumerBatch[] = []
    let room = MAX_POLL_RECORDS
    for (const p of this.#assigned.values()) {
      if (p.paused || room === 0) continue
      const log = this.#log.records(p.topic, p.partition)
      const records = log.slice(p.position, p.position + room)
      if (records.length === 0) continue
      room -= records.length
      p.position += records.length
      batches.push({ topic: p.topic, partition: p.partition, records, highWatermark: log.length })
    }
    return batches
  }

  wakeup(): void {
    this.#wasWoken = true
    this.#woken.notify()
  }

  async commit(offsets: readonly TopicPartitionOffset[] = this.#positions()): Promise<void> {
    this.#check()
    if (this.#group.hasCrashed(this)) return
    for (const o of offsets) this.#group.committed.set(keyOf(o), o.offset)
    this.#group.onCommit(offsets)
  }

  #positions(): TopicPartitionOffset[] {
    return [...this.#assigned.values()].map(p => ({ topic: p.topic, partition: p.partition, offset: p.position }))
  }

  subscription(): readonly string[] {
    const topics = this.#topics
    return topics instanceof RegExp ? this.#log.topics().filter(topic => topics.test(topic)) : topics
  }

  missingTopics(): readonly string[] {
    return this.subscription().filter(topic => this.#log.partitionsOf(topic).length === 0)
  }

  assign(partitions: readonly TopicPartition[]): void {
    this.#check()
    if (this.#mode === 'subscribed') throw stateError('the consumer has subscribed to topics; call unsubscribe first')
    this.#mode = 'assigned'
    this.#replaceAssignment(partitions)
  }

  async unsubscribe(): Promise<void> {
    this.#check()
    await this.#leave()
    this.#mode = 'none'
  }

  /**
   * Leaves the group. First revokes the partitions of a subscription, as the real consumer does.
   */
  async #leave(): Promise<void> {
    if (this.#mode === 'subscribed' && !this.#group.hasCrashed(this)) await this.#revoke(this.assignment(), false)
    const { members } = this.#group
    if (members.includes(this)) members.splice(members.indexOf(this), 1)
    this.#assigned.clear()
    this.#topics = []
    this.#listener = undefined
  }

  assignment(): readonly TopicPartition[] {
    return [...this.#assigned.values()].map(({ topic, partition }) => ({ topic, partition }))
  }

  async committed(partitions: readonly TopicPartition[]): Promise<(OffsetAndMetadata | null)[]> {
    this.#check()
    return partitions.map(p => {
      const offset = this.#group.committed.get(keyOf(p))
      return offset === undefined ? null : { offset }
    })
  }

  position(partition: TopicPartition): number | null {
    return this.#need(partition).position
  }

  seek(partition: TopicPartition, offset: number): void {
    if (!(Number.isSafeInteger(offset) && offset >= 0)) throw stateError(`cannot seek to the invalid offset ${offset}`)
    this.#need(partition).position = offset
  }

  seekToBeginning(partitions: readonly TopicPartition[]): void {
    for (const p of this.#chosen(partitions)) p.position = 0
  }

  seekToEnd(partitions: readonly TopicPartition[]): void {
    for (const p of this.#chosen(partitions)) p.position = this.#log.records(p.topic, p.partition).length
  }

  /**
   * Returns the state of these partitions. If the list is empty, returns that of all assigned ones.
   */
  #chosen(partitions: readonly TopicPartition[]): Assigned[] {
    return partitions.length > 0 ? partitions.map(p => this.#need(p)) : [...this.#assigned.values()]
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const p of partitions.map(each => this.#need(each))) p.paused = true
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const p of partitions.map(each => this.#need(each))) p.paused = false
    this.#woken.notify()
  }

  paused(): readonly TopicPartition[] {
    const paused = [...this.#assigned.values()].filter(p => p.paused)
    return paused.map(({ topic, partition }) => ({ topic, partition }))
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
    if (this.#mode === 'closed') return
    await this.#leave()
    this.#mode = 'closed'
    this.#woken.notify()
  }

  #need(partition: TopicPartition): Assigned {
    const assigned = this.#assigned.get(keyOf(partition))
    if (!assigned) throw stateError(`partition ${keyOf(partition)} is not assigned to this consumer`)
    return assigned
  }

  #check(): void {
    if (this.#mode === 'closed') throw clientErrors.create('MR_CLIENT_CLOSED', { what: 'consumer' })
  }
}

function stateError(what: string): Error {
  return clientErrors.create('MR_CLIENT_STATE', { what })
}
