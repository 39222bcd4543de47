import { ErrorCode, errorFor } from '../../protocol/error-codes.ts'
import {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../../protocol/messages/23-offset-for-leader-epoch.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { byLeader } from '../cluster/leaders.ts'
import { EARLIEST, type FoundOffset, LATEST, listOffsetsOnce, type OffsetQuery } from '../cluster/list-offsets.ts'
import { clientErrors } from '../errors.ts'
import type { OffsetStore } from '../group/offset-store.ts'
import { groupBy } from '../group-by.ts'
import { defineApi } from '../net/api.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import type { ConsumerSettings } from './options.ts'

const OffsetForLeaderEpoch = defineApi(OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, { min: 3 })

/** Finds out where to read: committed offsets, the ends of the log, and whether the log was cut below a position. */
export class Positions {
  readonly #cluster: Cluster
  readonly #settings: ConsumerSettings
  readonly #store: OffsetStore | null

  constructor(cluster: Cluster, settings: ConsumerSettings, store: OffsetStore | null) {
    this.#cluster = cluster
    this.#settings = settings
    this.#store = store
  }

  /** Partitions whose position is to be found. */
  pending(partitions: Iterable<AssignedPartition>): AssignedPartition[] {
    return [...partitions].filter(p => p.position === null || this.mustValidate(p))
  }

  /** One attempt at the positions of these partitions; rejects with why some are still missing. A partition that is moved or taken away meanwhile is left alone. */
  async find(partitions: readonly AssignedPartition[]): Promise<void> {
    const fresh = partitions.filter(p => p.position === null && p.reset === null)
    if (fresh.length > 0) await this.#fromCommitted(fresh)
    const resets = partitions.filter(p => p.position === null && p.reset !== null)
    if (resets.length > 0) await this.#fromLog(resets)
    const validate = partitions.filter(p => this.mustValidate(p))
    if (validate.length > 0) await this.#validate(validate)
  }

  /** What `auto.offset.reset` says for a partition; an error where it says none. */
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
      if (committed) p.seek(committed.offset, committed.leaderEpoch ?? -1)
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
    const failure = await listOffsetsOnce(
      this.#cluster,
      queries,
      this.#settings.readCommitted,
      found,
      this.#cluster.signal,
    )
    partitions.forEach((p, i) => {
      const offset = found.get(queries[i]!)?.offset
      if (offset === undefined || p.round !== rounds[i] || p.reset === null) return
      this.#settings.common.logger.info(`${p.name}: starting at the ${p.reset} offset ${offset}`)
      p.seek(offset)
    })
    if (failure) throw failure
  }

  /** A new leader may have a log that was cut below our position (KIP-320): nothing is fetched from it before that is known. */
  mustValidate(p: AssignedPartition): boolean {
    if (p.position === null || p.positionEpoch < 0) return false
    const epoch = this.#cluster.metadata.partition(p.topic, p.partition)?.leaderEpoch ?? -1
    return epoch > p.validatedEpoch && epoch > p.positionEpoch
  }

  async #validate(partitions: readonly AssignedPartition[]): Promise<void> {
    const { groups, failure } = await byLeader(this.#cluster, partitions, this.#cluster.signal)
    let problem = failure
    for (const [leader, list] of groups) problem = (await this.#validateAt(leader, list)) ?? problem
    if (!problem) return
    this.#cluster.refreshSoon()
    throw problem
  }

  /** Gives back why some could not be checked. */
  async #validateAt(leader: number, partitions: readonly AssignedPartition[]): Promise<Error | null> {
    const epochOf = (p: AssignedPartition) => this.#cluster.metadata.partition(p.topic, p.partition)?.leaderEpoch ?? -1
    const asked = partitions.map(p => ({ p, round: p.round, epoch: epochOf(p), positionEpoch: p.positionEpoch }))
    const topics = groupBy(asked, a => a.p.topic).map(([topic, list]) => ({
      topic,
      partitions: list.map(a => ({
        partition: a.p.partition,
        currentLeaderEpoch: a.epoch,
        leaderEpoch: a.positionEpoch,
      })),
    }))
    let problem: Error | null = null
    const response = await this.#cluster.request(leader, OffsetForLeaderEpoch, { replicaId: -1, topics })
    for (const t of response.topics) {
      for (const answer of t.partitions) {
        const a = asked.find(x => x.p.topic === t.topic && x.p.partition === answer.partition)
        if (!a || a.p.round !== a.round || a.p.position === null) continue
        if (answer.errorCode === ErrorCode.TOPIC_AUTHORIZATION_FAILED) a.p.error = errorFor(answer.errorCode)
        // whatever else it is: as in Java it is asked again
        else if (answer.errorCode !== 0) problem = Object.assign(errorFor(answer.errorCode), { retriable: true })
        else this.#checkCut(a.p, a.epoch, answer.leaderEpoch, answer.endOffset)
      }
    }
    return problem
  }

  #checkCut(p: AssignedPartition, checkedEpoch: number, epoch: number, end: number): void {
    p.validatedEpoch = checkedEpoch
    if (end < 0 || end >= p.position!) return
    const { logger } = this.#settings.common
    logger.warn(`${p.name}: the log was cut at ${end} (epoch ${epoch}), below the position ${p.position}`)
    if (this.#settings.autoOffsetReset === 'none') {
      p.error = clientErrors.create('MR_CLIENT_LOG_TRUNCATED', { partition: p.name, end, epoch, position: p.position })
    } else {
      p.seek(end, epoch)
    }
  }
}
