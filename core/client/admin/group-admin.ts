import { ErrorCode, errorFor, errorMessage } from '../../protocol/error-codes.ts'
import { DescribeGroupsRequest, DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts'
import { ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/16-list-groups.ts'
import { DeleteGroupsRequest, DeleteGroupsResponse } from '../../protocol/messages/42-delete-groups.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { GroupCoordinator } from '../group/coordinator.ts'
import { NO_MEMBER, OffsetStore } from '../group/offset-store.ts'
import { defineApi } from '../net/api.ts'
import type { GroupDescription, TopicPartitionOffset } from '../types.ts'

const ListGroups = defineApi(ListGroupsRequest, ListGroupsResponse)
const DescribeGroups = defineApi(DescribeGroupsRequest, DescribeGroupsResponse)
const DeleteGroups = defineApi(DeleteGroupsRequest, DeleteGroupsResponse)

/** The admin client's dealings with groups and their offsets. Each group is asked for at its own coordinator. */
export class GroupAdmin {
  readonly #cluster: Cluster
  readonly #timeoutMs: number

  constructor(cluster: Cluster, timeoutMs: number) {
    this.#cluster = cluster
    this.#timeoutMs = timeoutMs
  }

  /** All brokers are asked, since each knows only the groups that it coordinates. */
  async list(): Promise<{ groupId: string; protocolType: string; state: string }[]> {
    return this.#cluster.retry('listing groups', this.#timeoutMs, async () => {
      await this.#cluster.refresh()
      const brokers = [...this.#cluster.metadata.brokers.keys()]
      const answers = await Promise.all(brokers.map(id => this.#cluster.request(id, ListGroups, {})))
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

  async delete(groupIds: readonly string[]): Promise<void> {
    for (const groupId of groupIds) {
      const coordinator = new GroupCoordinator(this.#cluster, groupId)
      await this.#cluster.retry(`deleting group ${groupId}`, this.#timeoutMs, async () => {
        const response = await coordinator.request(DeleteGroups, { groupsNames: [groupId] }, {})
        for (const result of response.results) {
          if (result.errorCode === 0) continue
          const error = errorFor(result.errorCode, `group ${result.groupId}: ${errorMessage(result.errorCode)}`)
          coordinator.forgetAfter(error)
          throw error
        }
      })
    }
  }

  async #describeOne(groupId: string): Promise<GroupDescription> {
    const coordinator = new GroupCoordinator(this.#cluster, groupId)
    return this.#cluster.retry(`describing group ${groupId}`, this.#timeoutMs, async () => {
      const response = await coordinator.request(DescribeGroups, { groups: [groupId] }, {})
      const group = response.groups[0]!
      // From version 6 on an unknown group is an error; before that it was in state Dead.
      if (group.errorCode !== 0 && group.errorCode !== ErrorCode.GROUP_ID_NOT_FOUND) {
        const error = errorFor(group.errorCode, group.errorMessage ?? undefined)
        coordinator.forgetAfter(error)
        throw error
      }
      return {
        groupId,
        state: group.errorCode === ErrorCode.GROUP_ID_NOT_FOUND ? 'Dead' : group.groupState,
        protocolType: group.protocolType,
        protocol: group.protocolData,
        members: group.members.map(m => ({ memberId: m.memberId, clientId: m.clientId, host: m.clientHost })),
      }
    })
  }

  #store(groupId: string): OffsetStore {
    return new OffsetStore(new GroupCoordinator(this.#cluster, groupId))
  }
}
