import { ErrorCode, errorFor } from '../../protocol/error-codes.ts'
import { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/12-heartbeat.ts'
import { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/13-leave-group.ts'
import { Cluster } from '../cluster/cluster.ts'
import { defineApi } from '../net/api.ts'
import { commonOptions } from '../options.ts'
import type { ClientOptions, GroupMetadata } from '../types.ts'
import { GroupCoordinator } from './coordinator.ts'

const Heartbeat = defineApi(HeartbeatRequest, HeartbeatResponse)
const LeaveGroup = defineApi(LeaveGroupRequest, LeaveGroupResponse)

/** Heartbeat errors after which the member may still be in the group. */
const TEMPORARY: ReadonlySet<number> = new Set([
  ErrorCode.REBALANCE_IN_PROGRESS,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
])

/** Sends requests on behalf of a group member whose own thread is blocked. */
export interface StandIn {
  /**
   * Sends a heartbeat. Returns false if the member is no longer in the group. Rejects if the
   * request fails.
   */
  heartbeat(timeoutMs: number): Promise<boolean>
  /**
   * Removes the member from the group, so that the group does not wait for the session timeout.
   * Rejects if the request fails.
   */
  leave(reason: string, timeoutMs: number): Promise<void>
  close(): void
}

/** Creates a stand-in for a group member. It connects when it is first used. */
export function createStandIn(options: ClientOptions, member: GroupMetadata): StandIn {
  const { groupId, memberId, groupInstanceId } = member
  const cluster = new Cluster(commonOptions(options, 'stand-in'), { autoCreateTopics: false })
  const coordinator = new GroupCoordinator(cluster, groupId)
  return {
    async heartbeat(timeoutMs) {
      const input = { groupId, generationId: member.generationId, memberId, groupInstanceId }
      const { errorCode } = await coordinator.request(Heartbeat, input, { lane: 'group', timeoutMs })
      if (errorCode === ErrorCode.NOT_COORDINATOR || errorCode === ErrorCode.COORDINATOR_NOT_AVAILABLE)
        coordinator.forget()
      return errorCode === 0 || TEMPORARY.has(errorCode)
    },
    async leave(reason, timeoutMs) {
      const input = (version: number) => {
        if (version < 3) return { groupId, memberId }
        return { groupId, members: [{ memberId, groupInstanceId, ...(version < 5 ? {} : { reason }) }] }
      }
      const answer = await coordinator.request(LeaveGroup, input, { lane: 'group', timeoutMs })
      const errorCode = answer.errorCode || (answer.members[0]?.errorCode ?? 0)
      if (errorCode !== 0) throw errorFor(errorCode)
    },
    close: () => cluster.close(new Error('the stand-in is closed')),
  }
}
