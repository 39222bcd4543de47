import type { Admin, TopicDescription } from '../client/types.ts'
import type { MemoryLog } from './memory-log.ts'

const NODE = { id: 0, host: '127.0.0.1', port: 0 }

/**
 * Returns an admin client of the broker in memory. It can create, list and describe topics and
 * describe the cluster, which is all that the runtime of tasks needs. Other methods throw.
 */
export function memoryAdmin(log: MemoryLog): Admin {
  const describe = (name: string): TopicDescription | null => {
    const partitions = log.partitionsOf(name)
    if (partitions.length === 0) return null
    const infos = partitions.map(partition => ({ topic: name, partition, leader: 0, replicas: [0], isr: [0] }))
    return { name, topicId: name, internal: false, partitions: infos }
  }
  const unsupported = (method: string) => async () => {
    throw new Error(`the admin client of the test harness has no ${method}`)
  }
  return {
    createTopics: async topics => {
      for (const { name, partitions } of topics) log.createTopic(name, Math.max(1, partitions ?? 1))
    },
    describeTopics: async names => names.map(describe),
    listTopics: async () => log.topics().flatMap(name => describe(name) ?? []),
    describeCluster: async () => ({ clusterId: 'test', controllerId: 0, brokers: [NODE] }),
    close: async () => {},
    deleteTopics: unsupported('deleteTopics'),
    createPartitions: unsupported('createPartitions'),
    describeConfigs: unsupported('describeConfigs'),
    listOffsets: unsupported('listOffsets'),
    listGroups: unsupported('listGroups'),
    describeGroups: unsupported('describeGroups'),
    listGroupOffsets: unsupported('listGroupOffsets'),
    alterGroupOffsets: unsupported('alterGroupOffsets'),
    deleteGroupOffsets: unsupported('deleteGroupOffsets'),
    deleteGroups: unsupported('deleteGroups'),
  }
}
