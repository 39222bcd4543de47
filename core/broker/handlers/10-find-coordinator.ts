import {
  ApiKey,
  ErrorCode,
  errorMessage,
  type FindCoordinatorRequest,
  type FindCoordinatorResponse,
  type Message,
  type MessageInput,
} from '../../protocol/index.ts'
import { OFFSETS_TOPIC } from '../coordinator/index.ts'
import type { Handler, RequestContext } from './handler.ts'

type Response = MessageInput<typeof FindCoordinatorResponse>

/** The types of coordinators, from Kafka's FindCoordinatorRequest.CoordinatorType. */
const GROUP = 0
const TRANSACTION = 1
const SHARE = 2

/**
 * The message for a client that tries to use transactions. The error code that is sent with it is
 * not retriable, so the client fails immediately and shows the message. After
 * COORDINATOR_NOT_AVAILABLE, the client would retry for a minute.
 */
const NO_TRANSACTIONS =
  'Millrace does not support transactions yet. Unset transactional.id (idempotent producers work). In Kafka Streams, set processing.guarantee=at_least_once'

interface Found {
  readonly errorCode: number
  readonly errorMessage: string
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

function refusal(errorCode: number, message = errorMessage(errorCode)): Found {
  return { errorCode, errorMessage: message, nodeId: -1, host: '', port: -1 }
}

/**
 * Handles FindCoordinator requests, for one key or, since v4, for several. The first request for a
 * group creates `__consumer_offsets`.
 */
export const findCoordinatorHandler: Handler<Message<typeof FindCoordinatorRequest>, Response> = {
  key: ApiKey.FindCoordinator,
  async handle(request, ctx) {
    const keys = ctx.apiVersion < 4 ? [request.key] : request.coordinatorKeys
    const refused = await prepare(request.keyType, ctx)
    const found = keys.map(key => ({ key, ...(refused ?? groupCoordinator(key, ctx)) }))
    if (ctx.apiVersion >= 4) return { coordinators: found }
    // Up to v3, Kafka's response contains a message even if there is no error.
    return { ...found[0]!, errorMessage: found[0]!.errorMessage || errorMessage(ErrorCode.NONE) }
  },
  onError: (code, request, ctx) =>
    ctx.apiVersion < 4
      ? refusal(code)
      : { coordinators: request.coordinatorKeys.map(key => ({ key, ...refusal(code) })) },
}

/**
 * Ensures that the coordinators of this type exist. Returns null, or an error if they cannot be
 * used.
 */
async function prepare(keyType: number, ctx: RequestContext): Promise<Found | null> {
  if (keyType === TRANSACTION) return refusal(ErrorCode.UNSUPPORTED_VERSION, NO_TRANSACTIONS)
  if (keyType === SHARE && ctx.apiVersion >= 4) return refusal(ErrorCode.INVALID_REQUEST, '')
  if (keyType !== GROUP) return refusal(ErrorCode.INVALID_REQUEST)
  const { broker } = ctx
  if (broker.image().topicsByName.has(OFFSETS_TOPIC)) return null
  const made = await broker.controller.ensureTopic(OFFSETS_TOPIC)
  if (!made.error) return null
  broker.logger.warn(`Cannot create ${OFFSETS_TOPIC}: ${made.error.message}`)
  return refusal(ErrorCode.COORDINATOR_NOT_AVAILABLE)
}

function groupCoordinator(groupId: string, { broker, connection }: RequestContext): Found {
  const image = broker.image()
  const partition = broker.coordinators.groups.partitionOf(groupId)
  const leader = image.topicsByName.get(OFFSETS_TOPIC)?.partitions[partition]?.leader ?? -1
  const none = { errorCode: ErrorCode.NONE, errorMessage: '' }
  if (leader === broker.nodeId) return { ...none, nodeId: leader, ...broker.advertised(connection.listener) }
  const endpoint = image.brokers.get(leader)?.endpoints.find(e => e.name === connection.listener)
  if (!endpoint) return refusal(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  return { ...none, nodeId: leader, host: endpoint.host, port: endpoint.port }
}
