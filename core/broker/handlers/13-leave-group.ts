import {
  ApiKey,
  type LeaveGroupRequest,
  type LeaveGroupResponse,
  type Message,
  type MessageInput,
} from '../../protocol/index.ts'
import type { Handler } from './handler.ts'

/**
 * Handles LeaveGroup requests, for one member before v3 and for several since then. A member is
 * identified by its member id or its `group.instance.id`.
 */
export const leaveGroupHandler: Handler<Message<typeof LeaveGroupRequest>, MessageInput<typeof LeaveGroupResponse>> = {
  key: ApiKey.LeaveGroup,
  handle(request, ctx) {
    const single = ctx.apiVersion < 3
    const leavers = single ? [{ memberId: request.memberId, groupInstanceId: null }] : request.members
    const codes = ctx.broker.coordinators.groups.leave(request.groupId, leavers)
    if (typeof codes === 'number') return { errorCode: codes }
    if (single) return { errorCode: codes[0]! }
    const members = leavers.map(({ memberId, groupInstanceId }, i) => ({
      memberId,
      groupInstanceId,
      errorCode: codes[i]!,
    }))
    return { members }
  },
  onError: errorCode => ({ errorCode }),
}
