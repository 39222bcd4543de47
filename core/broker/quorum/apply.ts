import {
  type BrokerImage,
  configKey,
  type MetadataImage,
  type PartitionImage,
  ResourceType,
  type TopicImage,
} from './image.ts'
import type { MetadataRecord, UnknownRecord } from './records.ts'

/** A map that is copied when it is first written to, so that the old image keeps the old one. */
class Draft<K, V> {
  readonly #old: ReadonlyMap<K, V>
  #own: Map<K, V> | null = null

  constructor(old: ReadonlyMap<K, V>) {
    this.#old = old
  }

  get(key: K): V | undefined {
    return (this.#own ?? this.#old).get(key)
  }

  set(key: K, value: V): void {
    this.#own ??= new Map(this.#old)
    this.#own.set(key, value)
  }

  delete(key: K): void {
    if (!this.get(key)) return
    this.#own ??= new Map(this.#old)
    this.#own.delete(key)
  }

  result(): ReadonlyMap<K, V> {
    return this.#own ?? this.#old
  }
}

type Of<K extends MetadataRecord['kind']> = Extract<MetadataRecord, { kind: K }>['value']

/** The image while a batch of records goes into it. */
class ImageDraft {
  readonly topicsById: Draft<string, TopicImage>
  readonly topicsByName: Draft<string, TopicImage>
  readonly configs: Draft<string, ReadonlyMap<string, string>>
  readonly brokers: Draft<number, BrokerImage>
  readonly features: Draft<string, number>
  nextProducerId: number

  constructor(image: MetadataImage) {
    this.topicsById = new Draft(image.topicsById)
    this.topicsByName = new Draft(image.topicsByName)
    this.configs = new Draft(image.configs)
    this.brokers = new Draft(image.brokers)
    this.features = new Draft(image.features)
    this.nextProducerId = image.nextProducerId
  }

  putTopic(topic: TopicImage): void {
    this.topicsById.set(topic.id, topic)
    this.topicsByName.set(topic.name, topic)
  }

  topic(id: string, what: string): TopicImage {
    const topic = this.topicsById.get(id)
    if (!topic) throw new RangeError(`${what} of a topic that does not exist: ${id}`)
    return topic
  }

  broker(id: number, what: string): BrokerImage {
    const broker = this.brokers.get(id)
    if (!broker) throw new RangeError(`${what} of a broker that is not registered: ${id}`)
    return broker
  }

  putPartition(topic: TopicImage, p: PartitionImage): void {
    if (p.partition < 0 || p.partition > topic.partitions.length)
      throw new RangeError(`partition ${p.partition} of ${topic.name} comes before its neighbours`)
    this.putTopic({ ...topic, partitions: replaced(topic.partitions, p) })
  }
}

function replaced(partitions: readonly PartitionImage[], p: PartitionImage): PartitionImage[] {
  const copy = partitions.slice()
  copy[p.partition] = p
  return copy
}

function removeTopic(draft: ImageDraft, id: string): void {
  const topic = draft.topic(id, 'removal')
  draft.topicsById.delete(id)
  draft.topicsByName.delete(topic.name)
  draft.configs.delete(configKey(ResourceType.TOPIC, topic.name))
}

function setConfig(draft: ImageDraft, r: Of<'Config'>): void {
  const key = configKey(r.resourceType, r.resourceName)
  const configs = new Map(draft.configs.get(key))
  if (r.value === null) configs.delete(r.name)
  else configs.set(r.name, r.value)
  if (configs.size > 0) draft.configs.set(key, configs)
  else draft.configs.delete(key)
}

function changePartition(draft: ImageDraft, r: Of<'PartitionChange'>): void {
  const topic = draft.topic(r.topicId, 'change')
  const old = topic.partitions[r.partitionId]
  if (!old) throw new RangeError(`change of partition ${r.partitionId} of ${topic.name}, which does not exist`)
  const led = r.leader !== -2
  draft.putPartition(topic, {
    partition: old.partition,
    replicas: r.replicas ?? old.replicas,
    isr: r.isr ?? old.isr,
    leader: led ? r.leader : old.leader,
    leaderEpoch: led ? old.leaderEpoch + 1 : old.leaderEpoch,
    partitionEpoch: old.partitionEpoch + 1,
    directories: r.directories ?? old.directories,
  })
}

function changeBroker(draft: ImageDraft, r: Of<'BrokerRegistrationChange'>): void {
  const old = draft.broker(r.brokerId, 'change')
  draft.brokers.set(r.brokerId, {
    ...old,
    fenced: r.fenced === 0 ? old.fenced : r.fenced > 0,
    inControlledShutdown: r.inControlledShutdown === 1 || old.inControlledShutdown,
    logDirs: r.logDirs.length > 0 ? r.logDirs : old.logDirs,
  })
}

function applyOne(draft: ImageDraft, r: MetadataRecord | UnknownRecord): void {
  switch (r.kind) {
    case 'Topic':
      draft.putTopic({ name: r.value.name, id: r.value.topicId, partitions: [] })
      return
    case 'Partition':
      draft.putPartition(draft.topic(r.value.topicId, 'partition'), {
        partition: r.value.partitionId,
        replicas: r.value.replicas,
        isr: r.value.isr,
        leader: r.value.leader,
        leaderEpoch: r.value.leaderEpoch,
        partitionEpoch: r.value.partitionEpoch,
        directories: r.value.directories,
      })
      return
    case 'PartitionChange':
      changePartition(draft, r.value)
      return
    case 'RemoveTopic':
      removeTopic(draft, r.value.topicId)
      return
    case 'Config':
      setConfig(draft, r.value)
      return
    case 'FeatureLevel':
      if (r.value.featureLevel === 0) draft.features.delete(r.value.name)
      else draft.features.set(r.value.name, r.value.featureLevel)
      return
    case 'ProducerIds':
      draft.nextProducerId = r.value.nextProducerId
      return
    case 'RegisterBroker':
      draft.brokers.set(r.value.brokerId, {
        id: r.value.brokerId,
        epoch: r.value.brokerEpoch,
        incarnationId: r.value.incarnationId,
        endpoints: r.value.endPoints,
        rack: r.value.rack,
        fenced: r.value.fenced,
        inControlledShutdown: r.value.inControlledShutdown,
        logDirs: r.value.logDirs,
      })
      return
    case 'UnregisterBroker':
      draft.brokers.delete(r.value.brokerId)
      return
    case 'BrokerRegistrationChange':
      changeBroker(draft, r.value)
      return
    case 'FenceBroker':
      draft.brokers.set(r.value.id, { ...draft.broker(r.value.id, 'fencing'), fenced: true })
      return
    case 'UnfenceBroker':
      draft.brokers.set(r.value.id, { ...draft.broker(r.value.id, 'unfencing'), fenced: false })
      return
    default:
      // markers of transactions (see replay.ts), no-ops, and what concerns rooms that are not built yet
      return
  }
}

/**
 * The image after some records, the last of which stands at `offset`. Pure: `image` stays as it was. Throws a RangeError on a record that makes no
 * sense after those before it.
 */
export function applyRecords(
  image: MetadataImage,
  records: Iterable<MetadataRecord | UnknownRecord>,
  offset: number,
  epoch: number,
): MetadataImage {
  const draft = new ImageDraft(image)
  for (const r of records) applyOne(draft, r)
  return {
    offset,
    epoch,
    topicsByName: draft.topicsByName.result(),
    topicsById: draft.topicsById.result(),
    configs: draft.configs.result(),
    brokers: draft.brokers.result(),
    features: draft.features.result(),
    nextProducerId: draft.nextProducerId,
  }
}
