import { ErrorCode } from '../../../protocol/index.ts'
import type { Membership } from './membership.ts'
import type { GroupState, JoinRequest, SyncRequest } from './types.ts'
import type { Agreement } from './views.ts'

/**
 * The parts of a group that the checks in this file use. Each check returns Kafka's error code, or
 * whether the request is allowed.
 */
export interface Checked extends Agreement {
  readonly state: GroupState
}

/**
 * Returns NONE if the member id is in the group, otherwise an error code. If the request has a
 * `group.instance.id`, the member id must also be the current one of that instance.
 */
export function memberCode(members: Membership, memberId: string, groupInstanceId: string | null): number {
  if (groupInstanceId !== null) {
    const current = members.staticId(groupInstanceId)
    if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
    if (current !== memberId) return ErrorCode.FENCED_INSTANCE_ID
  }
  return members.has(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
}

export function syncCode(group: Checked, members: Membership, r: SyncRequest): number {
  if (group.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
  const code = memberCode(members, r.memberId, r.groupInstanceId)
  if (code !== ErrorCode.NONE) return code
  if (r.generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION
  const differs = (requested: string | null, current: string | null) => requested !== null && requested !== current
  if (differs(r.protocolType, group.protocolType) || differs(r.protocolName, group.protocolName))
    return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
  if (group.state === 'Empty') return ErrorCode.UNKNOWN_MEMBER_ID
  return group.state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
}

/** Returns whether `group.max.size` allows this member to join. */
export function fitsGroupSize(memberId: string, state: GroupState, members: Membership, maxSize: number): boolean {
  const member = members.get(memberId)
  if (state === 'Empty') return true
  if (state === 'PreparingRebalance') return !!member?.joinWaiter || members.joining < maxSize
  return !!member || members.size < maxSize
}

/** Returns whether a joining member supports a protocol that all members support. */
export function sharesProtocol(group: Checked, members: Membership, r: JoinRequest): boolean {
  if (r.protocolType === '' || r.protocols.length === 0) return false
  if (group.state === 'Empty' || members.size === 0) return true
  return group.protocolType === r.protocolType && members.supportsAny(r.protocols)
}
