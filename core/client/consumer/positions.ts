import { ErrorCode, errorFor } from '../../protocol/error-codes.ts'
import {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../../protocol/messages/23-offset-for-leader-epoch.ts'
import type { Message } from '../../protocol/schema/declare.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { byLeader } from '../cluster/leaders.ts'
import { EARLIEST, type FoundOffset, LATEST, listOffsetsOnce, type OffsetQuery } from '../cluster/list-offsets.ts'
import { clientErrors } from '../errors.ts'
import type { OffsetStore } from '../group/offset-store.ts'
import { groupBy } from '../group-by.ts'
import { defineApi } from '../net/api.ts'
import type { AssignedPartition, FetchPosition } from './assigned-partition.ts'
import type { ConsumerSettings } from './options.ts'

const OffsetForLeaderEpoch = defineApi(OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, { min: 3 })

/**
 * Finds the positions from which to read: committed offsets, or the start or end of the log.
 * Detects truncated logs.
 */
export class Positions {
  readonly #cluster: Cluster
  readonly #settings: ConsumerSettings
  readonly #store: OffsetStore | null

  constructor(cluster: Cluster, settings: ConsumerSettings, store: OffsetStore | null) {
    this.#cluster = cluster
    this.#settings = settings
    this.#store = store
  }

  /** Returns the partitions whose position must be found or validated. */
  pending(partitions: Iterable<AssignedPartition>): AssignedPartition[] {
    return [...partitions].filter(p => {
      this.noteLeader(p)
      return p.position === null
    })
  }

  /**
   * Compares the leader epoch of a partition with that of its position. After a change of leader,
   * nothing is fetched or returned until the position is validated (KIP-320).
   */
  noteLeader(p: AssignedPartition): void {
    p.leaderIs(this.#leaderEpochOf(p))
  }

  /**
   * Makes one attempt to find or validate positions. Rejects if some positions remain unknown.
   * Ignores the result for a partition whose position has changed in the meantime.
   */
  async find(partitions: readonly AssignedPartition[]): Promise<void> {
    const fresh = partitions.filter(p => p.isInitializing)
    if (fresh.length > 0) await this.#fromCommitted(fresh)
    const resets = partitions.filter(p => p.reset !== null)
    if (resets.length > 0) await this.#fromLog(resets)
    const validate = partitions.filter(p => p.unvalidated !== null)
    if (validate.length > 0) await this.#validate(validate)
  }

  /**
   * Applies `auto.offset.reset` to a partition. With `none`, the next `poll` throws the error that
   * `failure` creates.
   */
  resetOrFail(partition: AssignedPartition, failure: () => Error): void {
    const { autoOffsetReset } = this.#settings
    if (autoOffsetReset === 'none') partition.error = failure()
    else partition.seekTo(autoOffsetReset)
  }

  async #fromCommitted(partitions: readonly AssignedPartition[]): Promise<void> {
    const rounds = partitions.map(p => p.round)
    const found = this.#store ? await this.#store.fetch(partitions, this.#settings.apiTimeoutMs) : new Map()
    const without: AssignedPartition[] = []
    partitions.forEach((p, i) => {
      if (p.round !== rounds[i]) return
      const committed = found.get(`${p.topic}:${p.partition}`)
      if (committed) p.seekUnvalidated(committed.offset, committed.leaderEpoch ?? -1, this.#leaderEpochOf(p))
      else without.push(p)
    })
    if (without.length === 0) return
    const names = without.map(p => p.name).join(', ')
    for (const p of without) {
      this.resetOrFail(p, () => clientErrors.create('MR_CLIENT_NO_OFFSET', { partitions: names }))
    }
  }

  async #fromLog(partitions: readonly AssignedPartition[]): Promise<void> {
    const rounds = partitions.map(p => p.round)
    const queries = partitions.map(p => ({
      topic: p.topic,
      partition: p.partition,
      timestamp: p.reset === 'earliest' ? EARLIEST : LATEST,
    }))
    const found = new Map<OffsetQuery, FoundOffset>()
    const { readCommitted } = this.#settings
    const { signal } = this.#cluster
    const failure = await listOffsetsOnce(queries, { cluster: this.#cluster, readCommitted, found, signal })
    partitions.forEach((p, i) => {
      const offset = found.get(queries[i]!)?.offset
      if (offset === undefined || p.round !== rounds[i] || p.reset === null) return
      this.#settings.common.logger.info(`${p.name}: starting at the ${p.reset} offset ${offset}`)
      p.seek(offset, -1, this.#leaderEpochOf(p))
    })
    if (failure) throw failure
  }

  async #validate(partitions: readonly AssignedPartition[]): Promise<void> {
    const { groups, failure } = await byLeader(this.#cluster, partitions, this.#cluster.signal)
    let problem = failure
    for (const [leader, list] of groups) problem = (await this.#validateAt(leader, list)) ?? problem
    if (!problem) return
    this.#cluster.refreshSoon()
    throw problem
  }

  /**
   * Validates positions with one leader. Returns the reason why some positions are not validated,
   * or null.
   */
  async #validateAt(leader: number, partitions: readonly AssignedPartition[]): Promise<Error | null> {
    const asked = partitions.flatMap(p => (p.unvalidated === null ? [] : [{ p, at: p.unvalidated }]))
    if (asked.length === 0) return null
    const topics = groupBy(asked, a => a.p.topic).map(([topic, list]) => ({
      topic,
      partitions: list.map(({ p, at }) => ({
        partition: p.partition,
        currentLeaderEpoch: at.leaderEpoch,
        leaderEpoch: at.offsetEpoch,
      })),
    }))
    const byName = new Map(asked.map(a => [`${a.p.topic}:${a.p.partition}`, a]))
    let problem: Error | null = null
    let response: Message<typeof OffsetForLeaderEpochResponse>
    try {
      response = await this.#cluster.request(leader, OffsetForLeaderEpoch, { replicaId: -1, topics })
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'MR_CLIENT_UNSUPPORTED_VERSION') throw error
      // Brokers before Kafka 2.3 cannot validate positions. Treat the positions as valid, as Java
      // does.
      for (const { p, at } of asked) p.validated(at, { endOffset: at.offset, leaderEpoch: at.offsetEpoch })
      return null
    }
    for (const t of response.topics) {
      for (const answer of t.partitions) {
        const a = byName.get(`${t.topic}:${answer.partition}`)
        if (!a) continue
        if (answer.errorCode === 0) this.#takeAnswer(a.p, a.at, answer)
        else if (a.p.unvalidated !== a.at) continue
        else if (answer.errorCode === ErrorCode.TOPIC_AUTHORIZATION_FAILED) a.p.error = errorFor(answer.errorCode)
        // All other errors are retried, as in Java.
        else problem = Object.assign(errorFor(answer.errorCode), { retriable: true })
      }
    }
    return problem
  }

  #takeAnswer(p: AssignedPartition, at: FetchPosition, answer: { leaderEpoch: number; endOffset: number }): void {
    const outcome = p.validated(at, answer)
    if (outcome.kind !== 'truncated') return
    const { end } = outcome
    const where = end === null ? `before offset ${at.offset}` : `at offset ${end.offset} (leader epoch ${end.epoch})`
    if (this.#settings.autoOffsetReset === 'none') {
      const position = `${at.offset} (leader epoch ${at.offsetEpoch})`
      p.error = clientErrors.create('MR_CLIENT_LOG_TRUNCATED', { partition: p.name, where, position })
      return
    }
    if (end === null) p.seekTo(this.#settings.autoOffsetReset)
    else p.seek(end.offset, end.epoch, at.leaderEpoch)
    const next = end === null ? `the ${this.#settings.autoOffsetReset} offset` : `offset ${end.offset}`
    this.#settings.common.logger.warn(
      `${p.name}: the log was truncated ${where}, but the consumer was at offset ${at.offset} (leader epoch ${at.offsetEpoch}). ` +
        `Reading continues at ${next}`,
    )
  }

  #leaderEpochOf(p: AssignedPartition): number {
    return this.#cluster.metadata.partition(p.topic, p.partition)?.leaderEpoch ?? -1
  }
}
