import { messageOf } from '../../common/errors/error-table.ts'
import {
  ApiKey,
  ErrorCode,
  type InitProducerIdRequest,
  type InitProducerIdResponse,
  type Message,
  type MessageInput,
} from '../../protocol/index.ts'
import type { Handler } from './handler.ts'

type Response = MessageInput<typeof InitProducerIdResponse>

const refuse = (errorCode: number): Response => ({ errorCode, producerId: -1, producerEpoch: -1 })

/**
 * InitProducerId gives an idempotent producer an id of its own. There are no transactions yet: with a transactional id it answers
 * UNSUPPORTED_VERSION, which no client tries again (FindCoordinator says so, with a message, before a client comes here).
 */
export const initProducerIdHandler: Handler<Message<typeof InitProducerIdRequest>, Response> = {
  key: ApiKey.InitProducerId,
  async handle(request, ctx) {
    if (request.transactionalId === '') return refuse(ErrorCode.INVALID_REQUEST)
    if ((request.producerId === -1) !== (request.producerEpoch === -1)) return refuse(ErrorCode.INVALID_REQUEST)
    if (request.transactionalId !== null) return refuse(ErrorCode.UNSUPPORTED_VERSION)
    try {
      return { producerId: await ctx.broker.coordinators.producerIds.next(), producerEpoch: 0 }
    } catch (error) {
      ctx.broker.logger.warn(`No producer id could be given out: ${messageOf(error)}`)
      // Retriable, and no reason for a client without a transactional id to look for a coordinator.
      return refuse(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    }
  },
  onError: refuse,
}
