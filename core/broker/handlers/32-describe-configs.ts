import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import type { DescribeConfigsRequest, DescribeConfigsResponse } from '../../protocol/messages/32-describe-configs.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import { configKey, ResourceType, topicConfigsOf } from '../quorum/image.ts'
import { topicNameProblem } from '../quorum/topic-names.ts'
import { brokerConfigEntries, type ConfigEntry, defaultBrokerEntries, topicConfigEntries } from './config-entries.ts'
import type { Handler, RequestContext } from './handler.ts'

type Request = Message<typeof DescribeConfigsRequest>
type Response = MessageInput<typeof DescribeConfigsResponse>
type Resource = Request['resources'][number]
type Refused = { readonly code: number; readonly message: string }

const invalid = (message: string): Refused => ({ code: ErrorCode.INVALID_REQUEST, message })

function brokerResource(name: string, ctx: RequestContext): readonly ConfigEntry[] | Refused {
  if (name === '') return defaultBrokerEntries(ctx.broker)
  if (!/^-?\d+$/.test(name)) return invalid(`Broker id must be an integer, but it is: ${name}`)
  const { nodeId } = ctx.broker
  if (Number(name) !== nodeId)
    return invalid(`Unexpected broker id, expected ${nodeId} or empty string, but received ${name}`)
  return brokerConfigEntries(ctx.broker)
}

/** What was set on a resource that has no keys of its own here yet. */
function plain({ resourceType, resourceName }: Resource, ctx: RequestContext): ConfigEntry[] {
  const set = ctx.broker.image().configs.get(configKey(resourceType, resourceName)) ?? new Map<string, string>()
  return [...set].map(([name, value]) => ({
    name,
    value,
    // DYNAMIC_GROUP_CONFIG
    source: 8,
    readOnly: false,
    isSensitive: false,
    type: 2,
    documentation: '',
    synonyms: [],
  }))
}

function entriesOf(resource: Resource, ctx: RequestContext): readonly ConfigEntry[] | Refused {
  const { resourceType, resourceName } = resource
  const image = ctx.broker.image()
  switch (resourceType) {
    case ResourceType.TOPIC: {
      const problem = topicNameProblem(resourceName)
      if (problem !== null) return { code: ErrorCode.INVALID_TOPIC_EXCEPTION, message: problem }
      if (!image.topicsByName.has(resourceName)) return { code: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, message: '' }
      return topicConfigEntries(ctx.broker, topicConfigsOf(image, resourceName))
    }
    case ResourceType.BROKER:
      return brokerResource(resourceName, ctx)
    case ResourceType.GROUP:
      return resourceName === '' ? invalid('Group name must not be empty') : plain(resource, ctx)
    case ResourceType.CLIENT_METRICS:
    case ResourceType.BROKER_LOGGER:
      return []
    default:
      return invalid(`Unsupported resource type: ${resourceType}`)
  }
}

/** DescribeConfigs: the settings of topics and of this broker, and where each comes from. */
export const describeConfigsHandler: Handler<Request, Response> = {
  key: ApiKey.DescribeConfigs,
  handle(request, ctx) {
    // each once: what a resource is told takes a thousand times what asks for it
    const resources = new Map(request.resources.map(r => [configKey(r.resourceType, r.resourceName), r]))
    const results = [...resources.values()].map(resource => {
      const { resourceType, resourceName, configurationKeys } = resource
      const entries = entriesOf(resource, ctx)
      if (!Array.isArray(entries)) {
        const { code, message } = entries as Refused
        return { errorCode: code, errorMessage: message, resourceType, resourceName }
      }
      const asked = configurationKeys?.length ? new Set(configurationKeys) : null
      const configs = (entries as readonly ConfigEntry[])
        .filter(e => !asked || asked.has(e.name))
        .map(e => ({
          name: e.name,
          value: e.value,
          readOnly: e.readOnly,
          configSource: e.source,
          isSensitive: e.isSensitive,
          synonyms: request.includeSynonyms ? e.synonyms : [],
          configType: e.type,
          documentation: request.includeDocumentation ? e.documentation : null,
        }))
      return { errorMessage: '', resourceType, resourceName, configs }
    })
    return { results }
  },
}
