import type { BrokerConfig } from '../config/broker-config.ts'
import { dynamicConfigs } from '../config/dynamic.ts'
import { topicLayers } from '../config/effective.ts'
import { type MetadataImage, topicConfigsOf } from '../quorum/image.ts'

export interface LedPartition {
  readonly topic: string
  readonly partition: number
  readonly replicas: number
  readonly inSync: number
  /** The value of `min.insync.replicas`, but at most the number of replicas. */
  readonly minInSync: number
}

/** Counts of the partitions in the metadata, and a list (`led`) of those that this broker leads. */
export interface Census {
  readonly partitions: number
  readonly offline: number
  readonly imbalanced: number
  readonly hosted: number
  readonly underReplicated: number
  readonly underMinIsr: number
  readonly atMinIsr: number
  readonly led: readonly LedPartition[]
}

const known = new WeakMap<MetadataImage, Census>()

/** Returns the census of a metadata image. The result is cached for each image. */
export function censusOf(image: MetadataImage, config: BrokerConfig, nodeId: number): Census {
  let census = known.get(image)
  if (!census) known.set(image, (census = count(image, config, nodeId)))
  return census
}

function count(image: MetadataImage, config: BrokerConfig, nodeId: number): Census {
  const minInSyncOf = minInSyncReader(image, config, nodeId)
  const led: LedPartition[] = []
  let [partitions, offline, imbalanced, hosted, underReplicated, underMinIsr, atMinIsr] = [0, 0, 0, 0, 0, 0, 0]
  for (const topic of image.topicsByName.values()) {
    const configured = minInSyncOf(topic.name)
    for (const { partition, replicas, isr, leader } of topic.partitions) {
      partitions++
      if (leader < 0) offline++
      if (leader !== replicas[0]) imbalanced++
      if (replicas.includes(nodeId)) hosted++
      if (leader !== nodeId) continue
      const minInSync = Math.min(configured, replicas.length)
      led.push({ topic: topic.name, partition, replicas: replicas.length, inSync: isr.length, minInSync })
      if (isr.length < replicas.length) underReplicated++
      if (isr.length < minInSync) underMinIsr++
      if (isr.length === minInSync) atMinIsr++
    }
  }
  return { partitions, offline, imbalanced, hosted, underReplicated, underMinIsr, atMinIsr, led }
}

function minInSyncReader(image: MetadataImage, config: BrokerConfig, nodeId: number): (topic: string) => number {
  const dynamic = dynamicConfigs(image, nodeId)
  const read = (own: ReadonlyMap<string, string>) => {
    return Number(topicLayers(config, dynamic, own, 'min.insync.replicas')[0]?.value ?? 1)
  }
  const plain = read(new Map())
  return topic => {
    const own = topicConfigsOf(image, topic)
    return own.has('min.insync.replicas') ? read(own) : plain
  }
}
