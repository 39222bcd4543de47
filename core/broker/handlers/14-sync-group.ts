import {
  ApiKey,
  ErrorCode,
  type Message,
  type MessageInput,
  type SyncGroupRequest,
  type SyncGroupResponse,
} from '../../protocol/index.ts'
import { copyBytes } from '../coordinator/copy-bytes.ts'
import type { Handler } from './handler.ts'

type Request = Message<typeof SyncGroupRequest>
type Response = MessageInput<typeof SyncGroupResponse>

/** Handles SyncGroup requests. Answers when the leader has sent the assignments. */
export const syncGroupHandler: Handler<Request, Response> = {
  key: ApiKey.SyncGroup,
  async handle(request, ctx) {
    const { groupId, memberId, groupInstanceId, generationId, protocolType, protocolName } = request
    // Since v5, both fields are required (KIP-559).
    if (ctx.apiVersion >= 5 && (protocolType === null || protocolName === null))
      return { errorCode: ErrorCode.INCONSISTENT_GROUP_PROTOCOL }
    return ctx.broker.coordinators.groups.sync(groupId, {
      memberId,
      groupInstanceId,
      generationId,
      protocolType,
      protocolName,
      assignments: request.assignments.map(a => ({ memberId: a.memberId, assignment: copyBytes(a.assignment) })),
    })
  },
  onError: errorCode => ({ errorCode }),
}
