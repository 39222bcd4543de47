import type { MetadataResponse } from '../../protocol/messages/03-metadata.ts'
import type { Message } from '../../protocol/schema/declare.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import type { Address } from '../net/connection.ts'

export interface Broker extends Address {
  readonly id: number
  readonly rack: string | null
}

export interface PartitionState {
  readonly partition: number
  /** The node id of the leader; -1 if the partition has no leader. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

export interface TopicState {
  readonly name: string
  /** The topic id; ZERO_UUID if the broker does not support topic ids. */
  readonly id: string
  readonly internal: boolean
  /** Kafka's error code for the topic. If it is not 0, `partitions` is empty. */
  readonly errorCode: number
  readonly partitions: readonly PartitionState[]
}

/** The brokers, topics and leaders of a cluster, from the responses of brokers. Does no I/O. */
export class Metadata {
  clusterId: string | null = null
  controllerId = -1
  /** The number of responses that were applied. */
  version = 0
  readonly brokers = new Map<number, Broker>()
  readonly topics = new Map<string, TopicState>()
  readonly #nameById = new Map<string, string>()

  /** Returns the topic if it exists and has no error. */
  topic(name: string): TopicState | null {
    const topic = this.topics.get(name)
    return topic && topic.errorCode === 0 ? topic : null
  }

  partition(topic: string, partition: number): PartitionState | null {
    return this.topic(topic)?.partitions[partition] ?? null
  }

  nameOf(topicId: string): string | null {
    return this.#nameById.get(topicId) ?? null
  }

  /**
   * Applies a response. If `whole` is true, also removes the topics that the response does not
   * contain.
   */
  update(response: Message<typeof MetadataResponse>, whole: boolean): void {
    this.version++
    this.clusterId = response.clusterId
    this.controllerId = response.controllerId
    this.brokers.clear()
    for (const b of response.brokers)
      this.brokers.set(b.nodeId, { id: b.nodeId, host: b.host, port: b.port, rack: b.rack })
    const before = new Map(this.topics)
    if (whole) this.topics.clear()
    for (const t of response.topics) {
      if (t.name === null) continue
      const old = before.get(t.name)
      const partitions: PartitionState[] = []
      for (const p of t.partitions) {
        const fresh: PartitionState = {
          partition: p.partitionIndex,
          leader: p.leaderId,
          leaderEpoch: p.leaderEpoch,
          replicas: p.replicaNodes,
          isr: p.isrNodes,
        }
        const known = old?.id === t.topicId ? old.partitions[p.partitionIndex] : undefined
        // A broker with outdated metadata may still report an older leader.
        partitions[p.partitionIndex] = known && p.leaderEpoch >= 0 && known.leaderEpoch > p.leaderEpoch ? known : fresh
      }
      const state: TopicState = {
        name: t.name,
        id: t.topicId,
        internal: t.isInternal,
        errorCode: t.errorCode,
        partitions,
      }
      this.topics.set(t.name, state)
    }
    this.#nameById.clear()
    for (const t of this.topics.values()) if (t.id !== ZERO_UUID) this.#nameById.set(t.id, t.name)
  }

  /**
   * Sets the leader of a partition that a Produce or Fetch response reports (KIP-951). Returns
   * false if the leader's epoch is not newer, or if the partition or the broker is unknown.
   */
  updateLeader(topic: string, partition: number, leader: number, leaderEpoch: number): boolean {
    const state = this.topics.get(topic)
    const known = state?.partitions[partition]
    if (!state || !known || leaderEpoch <= known.leaderEpoch || !this.brokers.has(leader)) return false
    const partitions = [...state.partitions]
    partitions[partition] = { ...known, leader, leaderEpoch }
    this.topics.set(topic, { ...state, partitions })
    return true
  }

  addBroker(broker: Broker): void {
    const known = this.brokers.get(broker.id)
    if (known?.host !== broker.host || known.port !== broker.port) this.brokers.set(broker.id, broker)
  }

  forget(topic: string): void {
    const known = this.topics.get(topic)
    if (known) this.#nameById.delete(known.id)
    this.topics.delete(topic)
  }
}
