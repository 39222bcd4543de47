import type { Consumer, ConsumerBatch, ConsumerRecord } from '../../../client/types.ts'
import { messageOf } from '../../../common/errors/error-table.ts'
import type { Logger } from '../../../common/log.ts'
import type { TopicPartition } from '../../../connect/record.ts'
import type { LagSample } from '../host/messages-out.ts'
import type { SinkOffsets } from './sink-offsets.ts'

/**
 * The interval at which end offsets are requested, ms. Fetched batches also contain the end offset,
 * but a paused consumer does not fetch.
 */
const LOOKUP_MS = 5000

interface PartitionState {
  /** The end offset of the partition; -1 while it is unknown. */
  end: number
  /** When `end` was read, ms since 1970. */
  endAt: number
  /** The start offset of the partition. Records before it were deleted. */
  start: number
  /**
   * The timestamp of the last consumed record, ms since 1970. Null if no record was consumed, or if
   * the record has no timestamp.
   */
  lastTime: number | null
  /** The last time at which the sink had accepted all records, ms since 1970. Null if unknown. */
  caughtUpAt: number | null
}

/**
 * Measures how far a sink task is behind the end offsets of its partitions. A record counts as lag
 * until `put` has accepted it. The bytes are estimated as the number of these records times the
 * mean size of the consumed records.
 */
export class SinkLag {
  readonly #consumer: Consumer
  readonly #offsets: SinkOffsets
  readonly #logger: Logger
  readonly #partitions = new Map<string, PartitionState>()
  #records = 0
  #bytes = 0
  #lookedUpAt = Number.NEGATIVE_INFINITY
  #lookingUp = false

  constructor(consumer: Consumer, offsets: SinkOffsets, logger: Logger) {
    this.#consumer = consumer
    this.#offsets = offsets
    this.#logger = logger
  }

  consumed(batch: ConsumerBatch): void {
    const last = batch.records.at(-1)
    if (last === undefined) return
    const state = this.#stateOf(batch)
    if (batch.highWatermark > state.end) Object.assign(state, { end: batch.highWatermark, endAt: Date.now() })
    state.lastTime = last.timestampType === -1 ? null : last.timestamp
    this.#records += batch.records.length
    this.#bytes += sizeOf(batch.records)
  }

  forget(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) this.#partitions.delete(keyOf(p))
  }

  /** Returns the lag; null if no partition is assigned, or while an offset is unknown. */
  read(): LagSample | null {
    void this.#lookUp()
    const assigned = this.#consumer.assignment()
    let records = 0
    let since: number | null = null
    let sinceKnown = true
    let measuredAt = Number.POSITIVE_INFINITY
    const partitions: [string, number, number][] = []
    for (const p of assigned) {
      const state = this.#partitions.get(keyOf(p))
      const position = this.#position(p)
      if (state === undefined || state.end < 0 || position === null) return null
      const behind = behindOf(state, this.#offsets.firstPending(p) ?? position)
      records += behind
      partitions.push([p.topic, p.partition, behindOf(state, position)])
      measuredAt = Math.min(measuredAt, state.endAt)
      if (behind === 0) {
        state.caughtUpAt = state.endAt
        continue
      }
      const handledAt = latest(state.lastTime, state.caughtUpAt)
      if (handledAt === null) sinceKnown = false
      else since = Math.min(since ?? handledAt, handledAt)
    }
    if (partitions.length === 0) return null
    const bytes = records === 0 ? 0 : this.#records === 0 ? null : Math.round((records * this.#bytes) / this.#records)
    return { bytes, records, caughtUp: records === 0, since: sinceKnown ? since : null, measuredAt, partitions }
  }

  /**
   * Returns the position from which the consumer reads; null if it is unknown. The position may be
   * after the last consumed record, if the records between were deleted or compacted. After the
   * topic was recreated, it is before that record.
   */
  #position(p: TopicPartition): number | null {
    try {
      return this.#consumer.position(p)
    } catch {
      return null
    }
  }

  async #lookUp(): Promise<void> {
    if (this.#lookingUp || performance.now() - this.#lookedUpAt < LOOKUP_MS) return
    const assigned = this.#consumer.assignment()
    if (assigned.length === 0) return
    this.#lookingUp = true
    try {
      const ends = await this.#consumer.endOffsets(assigned)
      const endAt = Date.now()
      for (const [i, p] of assigned.entries()) Object.assign(this.#stateOf(p), { end: ends[i]!, endAt })
      await this.#lookUpStarts()
    } catch (error) {
      this.#logger.debug(`cannot get the end offsets of the partitions: ${messageOf(error)}`)
    } finally {
      this.#lookingUp = false
      this.#lookedUpAt = performance.now()
    }
  }

  /**
   * Reads the start offsets of the partitions that are behind. While a consumer is paused, its
   * position may be before records that were deleted.
   */
  async #lookUpStarts(): Promise<void> {
    const behind = this.#consumer.assignment().filter(p => (this.#position(p) ?? 0) < this.#stateOf(p).end)
    if (behind.length === 0) return
    const starts = await this.#consumer.beginningOffsets(behind)
    for (const [i, p] of behind.entries()) this.#stateOf(p).start = starts[i]!
  }

  #stateOf(p: TopicPartition): PartitionState {
    const key = keyOf(p)
    let state = this.#partitions.get(key)
    if (!state) this.#partitions.set(key, (state = { end: -1, endAt: 0, start: 0, lastTime: null, caughtUpAt: null }))
    return state
  }
}

const keyOf = (p: TopicPartition): string => `${p.topic}-${p.partition}`

const behindOf = ({ start, end }: PartitionState, from: number): number => Math.max(0, end - Math.max(start, from))

const latest = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.max(a, b)

function sizeOf(records: readonly ConsumerRecord[]): number {
  let bytes = 0
  for (const { key, value } of records) bytes += (key?.length ?? 0) + (value?.length ?? 0)
  return bytes
}
