import { ApiKey } from '../../protocol/api-keys.ts'
import type { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/19-create-topics.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import type { NewTopic, Outcome } from '../quorum/controller-api.ts'
import type { TopicImage } from '../quorum/image.ts'
import { topicConfigEntries } from './config-entries.ts'
import type { Handler, RequestContext } from './handler.ts'

type Request = Message<typeof CreateTopicsRequest>
type Response = MessageInput<typeof CreateTopicsResponse>
type Result = NonNullable<Response['topics']>[number]

function resultOf(topic: NewTopic, outcome: Outcome<TopicImage>, ctx: RequestContext): Result {
  if (outcome.error)
    return {
      name: topic.name,
      errorCode: outcome.error.code,
      errorMessage: outcome.error.message,
      numPartitions: -1,
      replicationFactor: -1,
      configs: [],
    }
  const overrides = new Map(topic.configs.map(c => [c.name, c.value ?? '']))
  return {
    name: topic.name,
    topicId: outcome.value.id,
    errorMessage: null,
    numPartitions: outcome.value.partitions.length,
    replicationFactor: outcome.value.partitions[0]?.replicas.length ?? 0,
    configs: topicConfigEntries(ctx.broker, overrides).map(e => ({
      name: e.name,
      // If the client has set the key, this is the text that the client sent, as in Kafka.
      value: overrides.get(e.name) ?? e.value,
      readOnly: false,
      configSource: e.source,
      isSensitive: false,
    })),
  }
}

/** Handles CreateTopics requests. Answers when the topics are on disk and can be written to. */
export const createTopicsHandler: Handler<Request, Response> = {
  key: ApiKey.CreateTopics,
  async handle(request, ctx) {
    const wanted = request.topics.map(t => ({
      name: t.name,
      numPartitions: t.numPartitions,
      replicationFactor: t.replicationFactor,
      assignments: t.assignments.map(a => ({ partition: a.partitionIndex, brokerIds: a.brokerIds })),
      configs: t.configs,
    }))
    const outcomes = await ctx.broker.controller.createTopics(wanted, { validateOnly: request.validateOnly })
    // createTopics rejects a name that occurs twice. The response contains one result for this
    // name.
    const results = new Map(wanted.map((t, i) => [t.name, resultOf(t, outcomes[i]!, ctx)]))
    return { topics: [...results.values()] }
  },
  onError: (errorCode, request) => ({ topics: request.topics.map(({ name }) => ({ name, errorCode })) }),
}
