import {
  ApiKey,
  type HeartbeatRequest,
  type HeartbeatResponse,
  type Message,
  type MessageInput,
} from '../../protocol/index.ts'
import type { Handler } from './handler.ts'

export const heartbeatHandler: Handler<Message<typeof HeartbeatRequest>, MessageInput<typeof HeartbeatResponse>> = {
  key: ApiKey.Heartbeat,
  handle({ groupId, memberId, groupInstanceId, generationId }, ctx) {
    return { errorCode: ctx.broker.coordinators.groups.heartbeat(groupId, memberId, groupInstanceId, generationId) }
  },
  onError: errorCode => ({ errorCode }),
}
