import { ErrorCode, errorFor, errorMessage } from '../../protocol/error-codes.ts'
import { DescribeGroupsRequest, DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts'
import { ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/16-list-groups.ts'
import { DeleteGroupsRequest, DeleteGroupsResponse } from '../../protocol/messages/42-delete-groups.ts'
import { OffsetDeleteRequest, OffsetDeleteResponse } from '../../protocol/messages/47-offset-delete.ts'
import type { Message, MessageDeclaration, MessageInput } from '../../protocol/schema/declare.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { mayHaveArrived } from '../errors.ts'
import { GroupCoordinator } from '../group/coordinator.ts'
import { NO_MEMBER, OffsetStore } from '../group/offset-store.ts'
import { groupBy } from '../group-by.ts'
import { type Api, defineApi } from '../net/api.ts'
import type { GroupDescription, TopicPartition, TopicPartitionOffset } from '../types.ts'

const ListGroups = defineApi(ListGroupsRequest, ListGroupsResponse)
const DescribeGroups = defineApi(DescribeGroupsRequest, DescribeGroupsResponse)
const DeleteGroups = defineApi(DeleteGroupsRequest, DeleteGroupsResponse)
const OffsetDelete = defineApi(OffsetDeleteRequest, OffsetDeleteResponse)

type Request = <Q extends MessageDeclaration, R extends MessageDeclaration>(
  api: Api<Q, R>,
  input: MessageInput<Q>,
) => Promise<Message<R>>

/** The group operations of the admin client. Requests for a group go to its coordinator. */
export class GroupAdmin {
  readonly #cluster: Cluster
  readonly #timeoutMs: number

  constructor(cluster: Cluster, timeoutMs: number) {
    this.#cluster = cluster
    this.#timeoutMs = timeoutMs
  }

  /**
   * Returns all groups. Requests go to all brokers, because a broker knows only the groups that it
   * coordinates.
   */
  async list(): Promise<{ groupId: string; protocolType: string; state: string }[]> {
    return this.#cluster.retry('listing groups', this.#timeoutMs, async signal => {
      await this.#cluster.refresh(signal)
      const brokers = [...this.#cluster.metadata.brokers.keys()]
      const answers = await Promise.all(brokers.map(id => this.#cluster.request(id, ListGroups, {}, { signal })))
      return answers.flatMap(answer => {
        if (answer.errorCode !== 0) throw errorFor(answer.errorCode)
        return answer.groups.map(g => ({ groupId: g.groupId, protocolType: g.protocolType, state: g.groupState }))
      })
    })
  }

  async describe(groupIds: readonly string[]): Promise<GroupDescription[]> {
    return Promise.all(groupIds.map(id => this.#describeOne(id)))
  }

  async offsets(groupId: string): Promise<TopicPartitionOffset[]> {
    const found = await this.#store(groupId).fetch(null, this.#timeoutMs)
    return [...found.values()]
  }

  async alterOffsets(groupId: string, offsets: readonly TopicPartitionOffset[]): Promise<void> {
    await this.#store(groupId).commit(offsets, NO_MEMBER, this.#timeoutMs)
  }

  async deleteOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return
    const topics = groupBy(partitions, p => p.topic).map(([name, list]) => ({
      name,
      partitions: list.map(p => ({ partitionIndex: p.partition })),
    }))
    await this.#atCoordinator('deleting offsets of group', groupId, async request => {
      const response = await request(OffsetDelete, { groupId, topics })
      throwCode(response.errorCode, `group ${groupId}`)
      for (const t of response.topics) {
        for (const p of t.partitions) {
          // Deleting an offset that was never committed succeeds.
          if (p.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) continue
          throwCode(p.errorCode, `the offset of ${t.name}-${p.partitionIndex} in group ${groupId}`)
        }
      }
    })
  }

  async delete(groupIds: readonly string[]): Promise<void> {
    for (const groupId of groupIds) {
      let unsure = false
      await this.#atCoordinator('deleting group', groupId, async request => {
        try {
          const response = await request(DeleteGroups, { groupsNames: [groupId] })
          for (const { errorCode } of response.results) {
            if (!(unsure && errorCode === ErrorCode.GROUP_ID_NOT_FOUND)) throwCode(errorCode, `group ${groupId}`)
          }
        } catch (error) {
          unsure ||= mayHaveArrived(error)
          throw error
        }
      })
    }
  }

  async #describeOne(groupId: string): Promise<GroupDescription> {
    return this.#atCoordinator('describing group', groupId, async request => {
      const response = await request(DescribeGroups, { groups: [groupId] })
      const group = response.groups[0]!
      // From version 6, the response for an unknown group is an error. In older versions, the
      // response contains the state Dead.
      const unknown = group.errorCode === ErrorCode.GROUP_ID_NOT_FOUND
      if (group.errorCode !== 0 && !unknown) throw errorFor(group.errorCode, group.errorMessage ?? undefined)
      return {
        groupId,
        state: unknown ? 'Dead' : group.groupState,
        protocolType: group.protocolType,
        protocol: group.protocolData,
        members: group.members.map(m => ({ memberId: m.memberId, clientId: m.clientId, host: m.clientHost })),
      }
    })
  }

  /**
   * Calls `ask` until it succeeds. If the coordinator of the group has moved, finds the new
   * coordinator before the next attempt.
   */
  #atCoordinator<T>(what: string, groupId: string, ask: (request: Request) => Promise<T>): Promise<T> {
    const coordinator = new GroupCoordinator(this.#cluster, groupId)
    return this.#cluster.retry(`${what} ${groupId}`, this.#timeoutMs, async signal => {
      try {
        return await ask((api, input) => coordinator.request(api, input, { signal }))
      } catch (error) {
        coordinator.forgetAfter(error)
        throw error
      }
    })
  }

  #store(groupId: string): OffsetStore {
    return new OffsetStore(new GroupCoordinator(this.#cluster, groupId))
  }
}

function throwCode(code: number, what: string): void {
  if (code !== 0) throw errorFor(code, `${what}: ${errorMessage(code)}`)
}
