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
 * Handles InitProducerId requests. Assigns a producer id to an idempotent producer. Transactions
 * are not supported yet, so a request with a transactional id gets UNSUPPORTED_VERSION, which
 * clients do not retry. (Before this request, FindCoordinator has usually rejected the client with
 * a message.)
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
      ctx.broker.logger.warn(`Cannot assign a producer id: ${messageOf(error)}`)
      // This code is retriable, and does not make an idempotent producer look for a coordinator.
      return refuse(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    }
  },
  onError: refuse,
}
