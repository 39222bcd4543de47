import { ErrorCode, errorFor, errorMessage } from '../../protocol/error-codes.ts'
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts'
import { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/19-create-topics.ts'
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts'
import { DescribeConfigsRequest, DescribeConfigsResponse } from '../../protocol/messages/32-describe-configs.ts'
import { CreatePartitionsRequest, CreatePartitionsResponse } from '../../protocol/messages/37-create-partitions.ts'
import { DescribeClusterRequest, DescribeClusterResponse } from '../../protocol/messages/60-describe-cluster.ts'
import type { Message, MessageDeclaration } from '../../protocol/schema/declare.ts'
import { Cluster, type InputFor } from '../cluster/cluster.ts'
import { listOffsets } from '../cluster/list-offsets.ts'
import { clientErrors } from '../errors.ts'
import { type Api, defineApi } from '../net/api.ts'
import { type CommonOptions, commonOptions } from '../options.ts'
import type {
  Admin,
  ClientOptions,
  ConfigEntry,
  GroupDescription,
  NewTopic,
  TopicDescription,
  TopicPartition,
  TopicPartitionOffset,
} from '../types.ts'
import { GroupAdmin } from './group-admin.ts'

const MetadataApi = defineApi(MetadataRequest, MetadataResponse, { min: 4 })
const CreateTopics = defineApi(CreateTopicsRequest, CreateTopicsResponse)
const DeleteTopics = defineApi(DeleteTopicsRequest, DeleteTopicsResponse)
const CreatePartitions = defineApi(CreatePartitionsRequest, CreatePartitionsResponse)
const DescribeConfigs = defineApi(DescribeConfigsRequest, DescribeConfigsResponse)
const DescribeCluster = defineApi(DescribeClusterRequest, DescribeClusterResponse)

/** `default.api.timeout.ms`. */
const API_TIMEOUT_MS = 60_000
/** Kafka's resource types in DescribeConfigs. */
const RESOURCE_TYPE = { topic: 2, broker: 4 } as const
/** The source of a config value that is the broker's default (DescribeConfigsResponse.ConfigSource.DEFAULT_CONFIG). */
const DEFAULT_CONFIG = 5

/** Makes an admin client. Throws a ConfigError on options that cannot work. Connects when first used. */
export function createAdmin(options: ClientOptions): Admin {
  return new KafkaAdmin(commonOptions(options, 'admin'))
}

interface Outcome {
  readonly name: string | null
  readonly errorCode: number
  readonly errorMessage?: string | null
}

class KafkaAdmin implements Admin {
  readonly #options: CommonOptions
  readonly #cluster: Cluster
  readonly #groups: GroupAdmin

  constructor(options: CommonOptions) {
    this.#options = options
    this.#cluster = new Cluster(options, { autoCreateTopics: false })
    this.#groups = new GroupAdmin(this.#cluster, API_TIMEOUT_MS)
  }

  async createTopics(
    topics: readonly NewTopic[],
    options: { validateOnly?: boolean; timeoutMs?: number } = {},
  ): Promise<void> {
    const input = {
      topics: topics.map(t => ({
        name: t.name,
        numPartitions: t.partitions ?? -1,
        replicationFactor: t.replicationFactor ?? -1,
        configs: Object.entries(t.configs ?? {}).map(([name, value]) => ({ name, value })),
      })),
      timeoutMs: this.#options.requestTimeoutMs,
      validateOnly: options.validateOnly ?? false,
    }
    let attempts = 0
    await this.#retry('creating topics', options.timeoutMs, async () => {
      const response = await this.#toController(CreateTopics, input)
      attempts++
      // A first attempt whose answer got lost may have created it.
      const mine = (o: Outcome) => attempts > 1 && o.errorCode === ErrorCode.TOPIC_ALREADY_EXISTS
      check(
        response.topics.filter(o => !mine(o)),
        'topic',
      )
    })
  }

  async deleteTopics(names: readonly string[], options: { timeoutMs?: number } = {}): Promise<void> {
    const timeoutMs = this.#options.requestTimeoutMs
    await this.#retry('deleting topics', options.timeoutMs, async () => {
      const response = await this.#toController(DeleteTopics, version =>
        version >= 6 ? { topics: names.map(name => ({ name })), timeoutMs } : { topicNames: names, timeoutMs },
      )
      check(response.responses, 'topic', [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
    })
  }

  async createPartitions(counts: Readonly<Record<string, number>>): Promise<void> {
    const topics = Object.entries(counts).map(([name, count]) => ({ name, count, assignments: null }))
    await this.#retry('creating partitions', undefined, async () => {
      const response = await this.#toController(CreatePartitions, {
        topics,
        timeoutMs: this.#options.requestTimeoutMs,
        validateOnly: false,
      })
      check(response.results, 'topic')
    })
  }

  async listTopics(): Promise<readonly TopicDescription[]> {
    const response = await this.#retry('listing topics', undefined, () => this.#metadata(null))
    return response.topics.filter(t => t.errorCode === 0 && t.name !== null).map(describeTopic)
  }

  async describeTopics(names: readonly string[]): Promise<(TopicDescription | null)[]> {
    if (names.length === 0) return []
    return this.#retry('describing topics', undefined, async () => {
      const response = await this.#metadata(names)
      const byName = new Map(response.topics.map(t => [t.name, t]))
      return names.map(name => {
        const topic = byName.get(name)
        if (!topic || topic.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) return null
        if (topic.errorCode !== 0) throw errorFor(topic.errorCode, `topic ${name}: ${errorMessage(topic.errorCode)}`)
        return describeTopic(topic)
      })
    })
  }

  async describeConfigs(resource: { type: 'topic' | 'broker'; name: string }): Promise<readonly ConfigEntry[]> {
    const resources = [
      { resourceType: RESOURCE_TYPE[resource.type], resourceName: resource.name, configurationKeys: null },
    ]
    return this.#retry(`describing the configs of ${resource.type} ${resource.name}`, undefined, async () => {
      const input = { resources, includeSynonyms: false }
      let response: Message<typeof DescribeConfigsResponse>
      if (resource.type === 'broker' && resource.name !== '') {
        await this.#brokers()
        response = await this.#cluster.request(Number(resource.name), DescribeConfigs, input)
      } else {
        response = await this.#cluster.requestAny(DescribeConfigs, input)
      }
      const result = response.results[0]!
      if (result.errorCode !== 0) throw errorFor(result.errorCode, result.errorMessage ?? undefined)
      return result.configs.map(c => ({
        name: c.name,
        value: c.value,
        source: c.configSource,
        isDefault: c.configSource === DEFAULT_CONFIG,
        sensitive: c.isSensitive,
        readOnly: c.readOnly,
      }))
    })
  }

  async describeCluster(): ReturnType<Admin['describeCluster']> {
    return this.#retry('describing the cluster', undefined, async () => {
      const response = await this.#cluster.requestAny(DescribeCluster, {})
      if (response.errorCode !== 0) throw errorFor(response.errorCode, response.errorMessage ?? undefined)
      return {
        clusterId: response.clusterId,
        controllerId: response.controllerId,
        brokers: response.brokers.map(b => ({ id: b.brokerId, host: b.host, port: b.port })),
      }
    })
  }

  async listOffsets(
    queries: readonly (TopicPartition & { readonly timestamp: number })[],
  ): Promise<{ offset: number; timestamp: number }[]> {
    const found = await listOffsets(this.#cluster, queries, { readCommitted: false, timeoutMs: API_TIMEOUT_MS })
    return found.map(({ offset, timestamp }) => ({ offset, timestamp }))
  }

  listGroups(): Promise<readonly { groupId: string; protocolType: string; state: string }[]> {
    return this.#groups.list()
  }

  describeGroups(groupIds: readonly string[]): Promise<readonly GroupDescription[]> {
    return this.#groups.describe(groupIds)
  }

  listGroupOffsets(groupId: string): Promise<readonly TopicPartitionOffset[]> {
    return this.#groups.offsets(groupId)
  }

  alterGroupOffsets(groupId: string, offsets: readonly TopicPartitionOffset[]): Promise<void> {
    return this.#groups.alterOffsets(groupId, offsets)
  }

  deleteGroups(groupIds: readonly string[]): Promise<void> {
    return this.#groups.delete(groupIds)
  }

  async close(): Promise<void> {
    this.#cluster.close(clientErrors.create('MR_CLIENT_CLOSED', { what: 'admin client' }))
  }

  #retry<T>(what: string, timeoutMs: number | undefined, attempt: () => Promise<T>): Promise<T> {
    return this.#cluster.retry(what, timeoutMs ?? API_TIMEOUT_MS, attempt)
  }

  /** What changes the cluster goes to the controller, or to a broker that forwards to it. */
  async #toController<Q extends MessageDeclaration, R extends MessageDeclaration>(
    api: Api<Q, R>,
    input: InputFor<Q>,
  ): Promise<Message<R>> {
    await this.#brokers()
    const { controllerId, brokers } = this.#cluster.metadata
    if (!brokers.has(controllerId)) return this.#cluster.requestAny(api, input)
    try {
      return await this.#cluster.request(controllerId, api, input)
    } catch (error) {
      this.#cluster.refreshSoon()
      throw error
    }
  }

  async #brokers(): Promise<void> {
    if (this.#cluster.metadata.version === 0) await this.#cluster.refresh()
  }

  #metadata(names: readonly string[] | null): Promise<Message<typeof MetadataResponse>> {
    const topics = names === null ? null : names.map(name => ({ name }))
    return this.#cluster.requestAny(MetadataApi, { topics, allowAutoTopicCreation: false })
  }
}

/** Throws the first error that no trying again cures, else the first error. `final`: codes that Kafka calls retriable, and this caller does not. */
function check(outcomes: readonly Outcome[], what: string, final: readonly number[] = []): void {
  const errors = outcomes
    .filter(o => o.errorCode !== 0)
    .map(o => {
      const error = errorFor(o.errorCode, `${what} ${o.name}: ${o.errorMessage ?? errorMessage(o.errorCode)}`)
      return final.includes(o.errorCode) ? Object.assign(error, { retriable: false }) : error
    })
  const error = errors.find(e => !e.retriable) ?? errors[0]
  if (error) throw error
}

function describeTopic(t: Message<typeof MetadataResponse>['topics'][number]): TopicDescription {
  const name = t.name ?? ''
  return {
    name,
    topicId: t.topicId,
    internal: t.isInternal,
    partitions: t.partitions
      .map(p => ({
        topic: name,
        partition: p.partitionIndex,
        leader: p.leaderId,
        replicas: p.replicaNodes,
        isr: p.isrNodes,
      }))
      .sort((a, b) => a.partition - b.partition),
  }
}
