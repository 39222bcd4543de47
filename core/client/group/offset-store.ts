import { messageOf } from '../../common/errors/error-table.ts'
import { ErrorCode, errorFor } from '../../protocol/error-codes.ts'
import { OffsetCommitRequest, OffsetCommitResponse } from '../../protocol/messages/08-offset-commit.ts'
import { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/messages/09-offset-fetch.ts'
import { clientErrors } from '../errors.ts'
import { groupBy } from '../group-by.ts'
import { defineApi } from '../net/api.ts'
import type { OffsetAndMetadata, TopicPartition, TopicPartitionOffset } from '../types.ts'
import type { GroupCoordinator } from './coordinator.ts'

// Later versions of both APIs identify topics only by id.
const OffsetCommit = defineApi(OffsetCommitRequest, OffsetCommitResponse, { max: 9 })
const OffsetFetch = defineApi(OffsetFetchRequest, OffsetFetchResponse, { min: 2, max: 9 })

/**
 * The member that commits offsets. A client that is not a member of the group uses generation -1
 * and an empty member id.
 */
export interface Committer {
  readonly generation: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

export const NO_MEMBER: Committer = { generation: -1, memberId: '', groupInstanceId: null }

/** Commits and fetches the offsets of a group. Retries retriable errors. */
export class OffsetStore {
  readonly #coordinator: GroupCoordinator

  constructor(coordinator: GroupCoordinator) {
    this.#coordinator = coordinator
  }

  /**
   * Commits offsets. Rejects with MR_CLIENT_COMMIT_FAILED if the group has rebalanced, and with
   * Kafka's error in other cases.
   */
  async commit(offsets: readonly TopicPartitionOffset[], by: Committer, timeoutMs: number): Promise<void> {
    if (offsets.length === 0) return
    const { groupId, cluster } = this.#coordinator
    const topics = groupBy(offsets, o => o.topic).map(([name, list]) => ({
      name,
      partitions: list.map(o => ({
        partitionIndex: o.partition,
        committedOffset: o.offset,
        committedLeaderEpoch: o.leaderEpoch ?? -1,
        committedMetadata: o.metadata ?? '',
      })),
    }))
    await cluster.retry(`committing offsets of group ${groupId}`, timeoutMs, async signal => {
      const response = await this.#coordinator.request(
        OffsetCommit,
        {
          groupId,
          generationIdOrMemberEpoch: by.generation,
          memberId: by.memberId,
          groupInstanceId: by.groupInstanceId,
          topics,
        },
        { signal },
      )
      for (const t of response.topics) {
        for (const p of t.partitions) {
          if (p.errorCode === 0) continue
          const error = errorFor(
            p.errorCode,
            `committing the offset of ${t.name}-${p.partitionIndex}: ${errorFor(p.errorCode).detail}`,
          )
          this.#coordinator.forgetAfter(error)
          if (isRebalance(p.errorCode)) {
            throw clientErrors.create(
              'MR_CLIENT_COMMIT_FAILED',
              { group: groupId, cause: messageOf(error) },
              { cause: error },
            )
          }
          throw error
        }
      }
    })
  }

  /**
   * Returns the committed offsets by `topic:partition`. Partitions without a committed offset are
   * missing. If `partitions` is null, returns all offsets of the group.
   */
  async fetch(
    partitions: readonly TopicPartition[] | null,
    timeoutMs: number,
  ): Promise<Map<string, TopicPartitionOffset>> {
    const { groupId, cluster } = this.#coordinator
    const topics =
      partitions === null
        ? null
        : groupBy(partitions, p => p.topic).map(([name, list]) => ({
            name,
            partitionIndexes: list.map(p => p.partition),
          }))
    return cluster.retry(`fetching offsets of group ${groupId}`, timeoutMs, async signal => {
      const response = await this.#coordinator.request(
        OffsetFetch,
        version =>
          version >= 8
            ? { groups: [{ groupId, topics }], ...stable(version) }
            : { groupId, topics, ...stable(version) },
        { signal },
      )
      const group = response.groups[0] ?? response
      if (group.errorCode !== 0) {
        const error = errorFor(
          group.errorCode,
          `fetching offsets of group ${groupId}: ${errorFor(group.errorCode).detail}`,
        )
        this.#coordinator.forgetAfter(error)
        throw error
      }
      const found = new Map<string, TopicPartitionOffset>()
      for (const t of group.topics) {
        for (const p of t.partitions) {
          if (p.errorCode !== 0)
            throw errorFor(
              p.errorCode,
              `fetching the offset of ${t.name}-${p.partitionIndex}: ${errorFor(p.errorCode).detail}`,
            )
          if (p.committedOffset < 0) continue
          const { committedOffset: offset, committedLeaderEpoch: leaderEpoch, metadata } = p
          found.set(`${t.name}:${p.partitionIndex}`, {
            topic: t.name,
            partition: p.partitionIndex,
            offset,
            leaderEpoch,
            metadata: metadata ?? '',
          })
        }
      }
      return found
    })
  }
}

/**
 * Requests only stable offsets (KIP-447). The coordinator rejects the request while an open
 * transaction contains offsets of the group.
 */
function stable(version: number): { requireStable?: boolean } {
  return version >= 7 ? { requireStable: true } : {}
}

export function committedOf(found: OffsetAndMetadata | undefined): OffsetAndMetadata | null {
  return found ? { offset: found.offset, leaderEpoch: found.leaderEpoch ?? -1, metadata: found.metadata ?? '' } : null
}

function isRebalance(code: number): boolean {
  return (
    code === ErrorCode.REBALANCE_IN_PROGRESS ||
    code === ErrorCode.ILLEGAL_GENERATION ||
    code === ErrorCode.UNKNOWN_MEMBER_ID ||
    code === ErrorCode.FENCED_INSTANCE_ID
  )
}
