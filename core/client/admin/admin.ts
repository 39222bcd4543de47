import { ErrorCode, errorFor, errorMessage } from '../../protocol/error-codes.ts'
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts'
import { DescribeConfigsRequest, DescribeConfigsResponse } from '../../protocol/messages/32-describe-configs.ts'
import { DescribeClusterRequest, DescribeClusterResponse } from '../../protocol/messages/60-describe-cluster.ts'
import type { Message } from '../../protocol/schema/declare.ts'
import { Cluster } from '../cluster/cluster.ts'
import { listOffsets } from '../cluster/list-offsets.ts'
import { clientErrors } from '../errors.ts'
import { defineApi } from '../net/api.ts'
import { adminSettings } from '../options.ts'
import type {
  Admin,
  AdminOptions,
  ConfigEntry,
  GroupDescription,
  NewTopic,
  TopicDescription,
  TopicPartition,
  TopicPartitionOffset,
} from '../types.ts'
import { GroupAdmin } from './group-admin.ts'
import { TopicAdmin } from './topic-admin.ts'

const MetadataApi = defineApi(MetadataRequest, MetadataResponse, { min: 4 })
const DescribeConfigs = defineApi(DescribeConfigsRequest, DescribeConfigsResponse)
const DescribeCluster = defineApi(DescribeClusterRequest, DescribeClusterResponse)

/** The resource type codes of DescribeConfigs. */
const RESOURCE_TYPE = { topic: 2, broker: 4 } as const
/** The code with which DescribeConfigs marks a default value (ConfigSource.DEFAULT_CONFIG). */
const DEFAULT_CONFIG = 5

/**
 * Creates an admin client, which connects when it is first used. Throws a ConfigError for invalid
 * options.
 */
export function createAdmin(options: AdminOptions): Admin {
  return new KafkaAdmin(options)
}

class KafkaAdmin implements Admin {
  readonly #apiTimeoutMs: number
  readonly #cluster: Cluster
  readonly #topics: TopicAdmin
  readonly #groups: GroupAdmin

  constructor(options: AdminOptions) {
    const { common, apiTimeoutMs } = adminSettings(options)
    this.#apiTimeoutMs = apiTimeoutMs
    this.#cluster = new Cluster(common, { autoCreateTopics: false })
    this.#topics = new TopicAdmin(this.#cluster)
    this.#groups = new GroupAdmin(this.#cluster, apiTimeoutMs)
  }

  createTopics(
    topics: readonly NewTopic[],
    options: { validateOnly?: boolean; timeoutMs?: number } = {},
  ): Promise<void> {
    return this.#topics.create(topics, options.validateOnly ?? false, options.timeoutMs ?? this.#apiTimeoutMs)
  }

  deleteTopics(names: readonly string[], options: { timeoutMs?: number } = {}): Promise<void> {
    return this.#topics.delete(names, options.timeoutMs ?? this.#apiTimeoutMs)
  }

  createPartitions(counts: Readonly<Record<string, number>>): Promise<void> {
    return this.#topics.createPartitions(counts, this.#apiTimeoutMs)
  }

  async listTopics(): Promise<readonly TopicDescription[]> {
    const response = await this.#retry('listing topics', signal => this.#metadata(null, signal))
    return response.topics.filter(t => t.errorCode === 0 && t.name !== null).map(describeTopic)
  }

  async describeTopics(names: readonly string[]): Promise<(TopicDescription | null)[]> {
    if (names.length === 0) return []
    return this.#retry('describing topics', async signal => {
      const response = await this.#metadata(names, signal)
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
    return this.#retry(`describing the configs of ${resource.type} ${resource.name}`, async signal => {
      const input = { resources, includeSynonyms: false }
      let response: Message<typeof DescribeConfigsResponse>
      if (resource.type === 'broker' && resource.name !== '') {
        if (this.#cluster.metadata.version === 0) await this.#cluster.refresh(signal)
        response = await this.#cluster.request(Number(resource.name), DescribeConfigs, input, { signal })
      } else {
        response = await this.#cluster.requestAny(DescribeConfigs, input, { signal })
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
    return this.#retry('describing the cluster', async signal => {
      const response = await this.#cluster.requestAny(DescribeCluster, {}, { signal })
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
    const found = await listOffsets(this.#cluster, queries, { readCommitted: false, timeoutMs: this.#apiTimeoutMs })
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

  deleteGroupOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void> {
    return this.#groups.deleteOffsets(groupId, partitions)
  }

  deleteGroups(groupIds: readonly string[]): Promise<void> {
    return this.#groups.delete(groupIds)
  }

  async close(): Promise<void> {
    this.#cluster.close(clientErrors.create('MR_CLIENT_CLOSED', { what: 'admin client' }))
  }

  #retry<T>(what: string, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#cluster.retry(what, this.#apiTimeoutMs, attempt)
  }

  #metadata(names: readonly string[] | null, signal: AbortSignal): Promise<Message<typeof MetadataResponse>> {
    const topics = names === null ? null : names.map(name => ({ name }))
    return this.#cluster.requestAny(MetadataApi, { topics, allowAutoTopicCreation: false }, { signal })
  }
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
