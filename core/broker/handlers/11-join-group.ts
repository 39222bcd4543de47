import {
  ApiKey,
  type JoinGroupRequest,
  type JoinGroupResponse,
  type Message,
  type MessageInput,
} from '../../protocol/index.ts'
import { copyBytes } from '../coordinator/copy-bytes.ts'
import type { Handler } from './handler.ts'

type Request = Message<typeof JoinGroupRequest>
type Response = MessageInput<typeof JoinGroupResponse>

/** Handles JoinGroup requests. Answers when all members have joined the rebalance. */
export const joinGroupHandler: Handler<Request, Response> = {
  key: ApiKey.JoinGroup,
  async handle(request, ctx) {
    const { apiVersion } = ctx
    const reply = await ctx.broker.coordinators.groups.join(request.groupId, {
      memberId: request.memberId,
      groupInstanceId: request.groupInstanceId,
      clientId: ctx.clientId ?? '',
      clientHost: `/${ctx.connection.host}`,
      sessionTimeoutMs: request.sessionTimeoutMs,
      // v0 has no rebalance timeout: the session timeout serves both purposes.
      rebalanceTimeoutMs: Math.max(apiVersion === 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs, 0),
      protocolType: request.protocolType,
      protocols: request.protocols.map(p => ({ name: p.name, metadata: copyBytes(p.metadata) })),
      requireKnownMemberId: apiVersion >= 4 && request.groupInstanceId === null,
      supportsSkipAssignment: apiVersion >= 9,
      reason: request.reason,
    })
    // This field cannot be null before v7.
    return { ...reply, protocolName: reply.protocolName ?? (apiVersion < 7 ? '' : null) }
  },
  onError: (errorCode, request) => ({ errorCode, memberId: request.memberId, protocolName: '' }),
}
