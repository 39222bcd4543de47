import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode, kafkaCodeOf } from '../../protocol/error-codes.ts'
import type { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import type { TopicImage } from '../quorum/image.ts'
import { isInternalTopic, SHARE_STATE_TOPIC, topicNameProblem } from '../quorum/topic-names.ts'
import { brokersOn } from './brokers.ts'
import type { Handler, RequestContext } from './handler.ts'
import { CLUSTER_OPERATIONS, NO_OPERATIONS, TOPIC_OPERATIONS } from './shared.ts'

type Request = Message<typeof MetadataRequest>
type Response = MessageInput<typeof MetadataResponse>
type Topic = NonNullable<Response['topics']>[number]

function known(topic: TopicImage): Topic {
  return {
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternalTopic(topic.name),
    partitions: topic.partitions.map(p => ({
      errorCode: p.leader < 0 ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NONE,
      partitionIndex: p.partition,
      leaderId: p.leader,
      leaderEpoch: p.leaderEpoch,
      replicaNodes: p.replicas,
      isrNodes: p.isr,
    })),
  }
}

const unknown = (name: string | null, errorCode: number, topicId = ZERO_UUID): Topic => ({
  name,
  topicId,
  errorCode,
  isInternal: name !== null && isInternalTopic(name),
})

/**
 * Returns the topic with this name. If the topic does not exist, creates it if this is allowed.
 * Unlike in Kafka, a new topic already has leaders, so clients need no second request.
 */
async function byName(name: string, mayCreate: boolean, ctx: RequestContext): Promise<Topic> {
  const topic = ctx.broker.image().topicsByName.get(name)
  if (topic) return known(topic)
  if (topicNameProblem(name) !== null) return unknown(name, ErrorCode.INVALID_TOPIC_EXCEPTION)
  if (!mayCreate || name === SHARE_STATE_TOPIC) return unknown(name, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  try {
    const made = await ctx.broker.controller.ensureTopic(name)
    if (!made.error) return known(made.value)
    ctx.broker.logger.info(`Cannot create the topic ${name} automatically: ${made.error.message}`)
    // Kafka also returns this code, because it answers before it creates the topic.
    return unknown(name, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  } catch (error) {
    return unknown(name, kafkaCodeOf(error))
  }
}

async function topicsOf(request: Request, ctx: RequestContext): Promise<Topic[]> {
  const image = ctx.broker.image()
  const all = request.topics === null || (ctx.apiVersion === 0 && request.topics.length === 0)
  if (all) return [...image.topicsByName.values()].map(known)
  const requested = request.topics ?? []
  // As in Kafka, if the request contains at least one topic id, only the ids are used, and the
  // names are ignored.
  const ids = new Set(requested.map(t => t.topicId).filter(id => id !== ZERO_UUID))
  if (ids.size > 0)
    return [...ids].map(id => {
      const topic = image.topicsById.get(id)
      return topic ? known(topic) : unknown(null, ErrorCode.UNKNOWN_TOPIC_ID, id)
    })
  const mayCreate = request.allowAutoTopicCreation && ctx.broker.config.values['auto.create.topics.enable']
  const names = new Set(requested.map(t => t.name ?? ''))
  return Promise.all([...names].map(name => byName(name, mayCreate, ctx)))
}

/** Handles Metadata requests. Returns the brokers, and the requested topics with their leaders. */
export const metadataHandler: Handler<Request, Response> = {
  key: ApiKey.Metadata,
  async handle(request, ctx) {
    // Topic ids and null names exist since v10, but Kafka accepts them only since v12.
    if (ctx.apiVersion < 12 && request.topics?.some(t => t.name === null || t.topicId !== ZERO_UUID))
      return this.onError!(ErrorCode.INVALID_REQUEST, request, ctx)
    const topics = await topicsOf(request, ctx)
    const withOperations = request.includeTopicAuthorizedOperations
      ? topics.map(t => (t.errorCode ? t : { ...t, topicAuthorizedOperations: TOPIC_OPERATIONS }))
      : topics
    return {
      brokers: brokersOn(ctx),
      clusterId: ctx.broker.clusterId,
      controllerId: ctx.broker.nodeId,
      topics: withOperations,
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? CLUSTER_OPERATIONS : NO_OPERATIONS,
    }
  },
  onError: (errorCode, request) => ({
    brokers: [],
    clusterId: null,
    controllerId: -1,
    topics: (request.topics ?? []).map(({ name, topicId }) => ({ name: name ?? '', topicId, errorCode })),
    errorCode,
  }),
}
