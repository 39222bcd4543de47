import {
  type BrokerImage,
  configKey,
  type ImageDelta,
  type KeptRecord,
  type MetadataImage,
  type PartitionExtras,
  type PartitionImage,
  type QuorumRecords,
  ResourceType,
  type TopicImage,
} from './image.ts'
import { keepRuleOf } from './kept-records.ts'
import { type MapDraft, PersistentMap } from './persistent-map.ts'
import type { MetadataRecord, UnknownRecord } from './records.ts'
import { collisionKey, mayCollide } from './topic-names.ts'
import type { UnknownTag } from './unknown-tags.ts'

type Of<K extends MetadataRecord['kind']> = Extract<MetadataRecord, { kind: K }>['value']
type AnyRecord = MetadataRecord | UnknownRecord

/** The keys in `MetadataImage.unknownTags`: one for each object that can have tagged fields. */
export const tagKeys = {
  topic: (id: string) => `topic ${id}`,
  partition: (id: string, partition: number) => `partition ${id} ${partition}`,
  config: (resource: string, name: string) => `config ${resource} ${name}`,
  feature: (name: string) => `feature ${name}`,
  broker: (id: number) => `broker ${id}`,
  producerIds: 'producer ids',
}

/** A draft of a small map, which is copied before its first change. */
class SmallDraft<K, V> {
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

const draftOf = <V>(map: ReadonlyMap<string, V>): MapDraft<V> => PersistentMap.from(map).draft()

/** A mutable copy of an image, to which a batch of records is applied. */
class ImageDraft {
  readonly topicsById: MapDraft<TopicImage>
  readonly topicsByName: MapDraft<TopicImage>
  readonly collisions: MapDraft<readonly string[]>
  readonly configs: MapDraft<ReadonlyMap<string, string>>
  readonly brokers: SmallDraft<number, BrokerImage>
  readonly features: SmallDraft<string, number>
  readonly kept: MapDraft<KeptRecord>
  readonly unknownTags: MapDraft<readonly UnknownTag[]>
  nextProducerId: number
  quorum: QuorumRecords
  readonly topicIds = new Set<string>()
  readonly configKeys = new Set<string>()
  /** The partition lists that this draft has created. Only these may be changed in place. */
  readonly #ownPartitions = new Set<readonly PartitionImage[]>()
  keptOrder: number

  constructor(image: MetadataImage) {
    this.topicsById = draftOf(image.topicsById)
    this.topicsByName = draftOf(image.topicsByName)
    this.collisions = draftOf(image.collisions)
    this.configs = draftOf(image.configs)
    this.brokers = new SmallDraft(image.brokers)
    this.features = new SmallDraft(image.features)
    this.kept = draftOf(image.kept)
    this.unknownTags = draftOf(image.unknownTags)
    this.nextProducerId = image.nextProducerId
    this.quorum = image.quorum
    this.keptOrder = image.keptOrder
  }

  putTopic(topic: TopicImage): void {
    this.topicIds.add(topic.id)
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
      throw new RangeError(`partition ${p.partition} of ${topic.name} is out of order: an earlier partition is missing`)
    if (this.#ownPartitions.has(topic.partitions)) {
      ;(topic.partitions as PartitionImage[])[p.partition] = p
      return
    }
    const partitions = topic.partitions.slice()
    partitions[p.partition] = p
    this.#ownPartitions.add(partitions)
    this.putTopic({ ...topic, partitions })
  }

  keep(bytes: Buffer, key: string | null): void {
    const order = this.keptOrder++
    // Copy the bytes, because they are a slice of a larger read buffer.
    this.kept.set(key ?? `record ${order}`, { order, bytes: Buffer.from(bytes) })
  }

  setTags(key: string, tags: readonly UnknownTag[] | undefined): void {
    if (tags) this.unknownTags.set(key, tags)
    else if (this.unknownTags.size > 0) this.unknownTags.delete(key)
  }

  addTags(key: string, tags: readonly UnknownTag[] | undefined): void {
    if (!tags) return
    const newer = new Set(tags.map(t => t.tag))
    const older = (this.unknownTags.get(key) ?? []).filter(t => !newer.has(t.tag))
    this.unknownTags.set(key, [...older, ...tags])
  }
}

function putNewTopic(draft: ImageDraft, name: string, id: string): void {
  draft.putTopic({ name, id, partitions: [] })
  if (!mayCollide(name)) return
  const key = collisionKey(name)
  const names = draft.collisions.get(key) ?? []
  if (!names.includes(name)) draft.collisions.set(key, [...names, name])
}

function removeTopic(draft: ImageDraft, id: string): void {
  const topic = draft.topic(id, 'removal')
  draft.topicIds.add(id)
  draft.topicsById.delete(id)
  // A newer topic may have the same name. Its entry must remain.
  if (draft.topicsByName.get(topic.name)?.id === id) draft.topicsByName.delete(topic.name)
  const key = collisionKey(topic.name)
  const names = draft.collisions.get(key)?.filter(n => n !== topic.name) ?? []
  if (names.length > 0) draft.collisions.set(key, names)
  else draft.collisions.delete(key)
  const resource = configKey(ResourceType.TOPIC, topic.name)
  if (draft.unknownTags.size > 0) {
    draft.unknownTags.delete(tagKeys.topic(id))
    for (const p of topic.partitions) draft.unknownTags.delete(tagKeys.partition(id, p.partition))
    for (const name of draft.configs.get(resource)?.keys() ?? [])
      draft.unknownTags.delete(tagKeys.config(resource, name))
  }
  if (draft.configs.get(resource)) draft.configKeys.add(resource)
  draft.configs.delete(resource)
}

function setConfig(draft: ImageDraft, r: Of<'Config'>, tags: readonly UnknownTag[] | undefined): void {
  const key = configKey(r.resourceType, r.resourceName)
  const configs = new Map(draft.configs.get(key))
  draft.configKeys.add(key)
  draft.setTags(tagKeys.config(key, r.name), tags)
  if (r.value === null) configs.delete(r.name)
  else configs.set(r.name, r.value)
  if (configs.size > 0) draft.configs.set(key, configs)
  else draft.configs.delete(key)
}

const NO_EXTRAS: PartitionExtras = {
  removingReplicas: [],
  addingReplicas: [],
  leaderRecoveryState: 0,
  eligibleLeaderReplicas: null,
  lastKnownElr: null,
}

function extrasOf(x: PartitionExtras): { extras?: PartitionExtras } {
  const isDefault =
    x.removingReplicas.length === 0 &&
    x.addingReplicas.length === 0 &&
    x.leaderRecoveryState === 0 &&
    !x.eligibleLeaderReplicas?.length &&
    !x.lastKnownElr?.length
  if (isDefault) return {}
  const { removingReplicas, addingReplicas, leaderRecoveryState, eligibleLeaderReplicas, lastKnownElr } = x
  return { extras: { removingReplicas, addingReplicas, leaderRecoveryState, eligibleLeaderReplicas, lastKnownElr } }
}

function putPartition(draft: ImageDraft, r: Of<'Partition'>): void {
  draft.putPartition(draft.topic(r.topicId, 'partition'), {
    partition: r.partitionId,
    replicas: r.replicas,
    isr: r.isr,
    leader: r.leader,
    leaderEpoch: r.leaderEpoch,
    partitionEpoch: r.partitionEpoch,
    directories: r.directories,
    ...extrasOf(r),
  })
}

function changePartition(draft: ImageDraft, r: Of<'PartitionChange'>): void {
  const topic = draft.topic(r.topicId, 'change')
  const old = topic.partitions[r.partitionId]
  if (!old) throw new RangeError(`change of partition ${r.partitionId} of ${topic.name}, which does not exist`)
  const led = r.leader !== -2
  const extras = old.extras ?? NO_EXTRAS
  draft.putPartition(topic, {
    partition: old.partition,
    replicas: r.replicas ?? old.replicas,
    isr: r.isr ?? old.isr,
    leader: led ? r.leader : old.leader,
    leaderEpoch: led ? old.leaderEpoch + 1 : old.leaderEpoch,
    partitionEpoch: old.partitionEpoch + 1,
    directories: r.directories ?? old.directories,
    ...extrasOf({
      removingReplicas: r.removingReplicas ?? extras.removingReplicas,
      addingReplicas: r.addingReplicas ?? extras.addingReplicas,
      leaderRecoveryState: r.leaderRecoveryState < 0 ? extras.leaderRecoveryState : r.leaderRecoveryState,
      eligibleLeaderReplicas: r.eligibleLeaderReplicas ?? extras.eligibleLeaderReplicas,
      lastKnownElr: r.lastKnownElr ?? extras.lastKnownElr,
    }),
  })
}

/** Clears the eligible leader replicas of a topic's partitions. An empty name means all topics. */
function clearElr(draft: ImageDraft, image: MetadataImage, topicName: string): void {
  const names = topicName === '' ? [...image.topicsByName.keys()] : [topicName]
  for (const name of names) {
    for (const p of draft.topicsByName.get(name)?.partitions ?? []) {
      if (!p.extras) continue
      const { extras, ...rest } = p
      const cleared = extrasOf({ ...extras, eligibleLeaderReplicas: null, lastKnownElr: null })
      draft.putPartition(draft.topicsByName.get(name)!, { ...rest, ...cleared })
    }
  }
}

function changeBroker(draft: ImageDraft, r: Of<'BrokerRegistrationChange'>): void {
  const old = draft.broker(r.brokerId, 'change')
  draft.brokers.set(r.brokerId, {
    ...old,
    fenced: r.fenced === 0 ? old.fenced : r.fenced > 0,
    inControlledShutdown: r.inControlledShutdown === 1 || old.inControlledShutdown,
    logDirs: r.logDirs.length > 0 ? r.logDirs : old.logDirs,
    cordonedLogDirs: r.cordonedLogDirs ?? old.cordonedLogDirs,
  })
}

function applyOne(draft: ImageDraft, image: MetadataImage, r: AnyRecord): void {
  switch (r.kind) {
    case 'Topic':
      putNewTopic(draft, r.value.name, r.value.topicId)
      draft.setTags(tagKeys.topic(r.value.topicId), r.unknownTags)
      return
    case 'Partition':
      putPartition(draft, r.value)
      draft.setTags(tagKeys.partition(r.value.topicId, r.value.partitionId), r.unknownTags)
      return
    case 'PartitionChange':
      changePartition(draft, r.value)
      draft.addTags(tagKeys.partition(r.value.topicId, r.value.partitionId), r.unknownTags)
      return
    case 'RemoveTopic':
      removeTopic(draft, r.value.topicId)
      return
    case 'ClearElr':
      clearElr(draft, image, r.value.topicName)
      return
    case 'Config':
      setConfig(draft, r.value, r.unknownTags)
      return
    case 'FeatureLevel':
      if (r.value.featureLevel === 0) draft.features.delete(r.value.name)
      else draft.features.set(r.value.name, r.value.featureLevel)
      draft.setTags(tagKeys.feature(r.value.name), r.unknownTags)
      return
    case 'ProducerIds':
      draft.nextProducerId = r.value.nextProducerId
      draft.setTags(tagKeys.producerIds, r.unknownTags)
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
        cordonedLogDirs: r.value.cordonedLogDirs,
        features: r.value.features,
      })
      draft.setTags(tagKeys.broker(r.value.brokerId), r.unknownTags)
      return
    case 'UnregisterBroker':
      draft.brokers.delete(r.value.brokerId)
      draft.setTags(tagKeys.broker(r.value.brokerId), undefined)
      return
    case 'BrokerRegistrationChange':
      changeBroker(draft, r.value)
      draft.addTags(tagKeys.broker(r.value.brokerId), r.unknownTags)
      return
    case 'FenceBroker':
      draft.brokers.set(r.value.id, { ...draft.broker(r.value.id, 'fencing'), fenced: true })
      return
    case 'UnfenceBroker':
      draft.brokers.set(r.value.id, { ...draft.broker(r.value.id, 'unfencing'), fenced: false })
      return
    default: {
      // Keeps records about features that Millrace does not have. No-op records and transaction
      // markers have no rule, so they are dropped (see replay.ts).
      const keeping = keepRuleOf(r)
      if (keeping?.does === 'remove') draft.kept.delete(keeping.key)
      else if (keeping) draft.keep(r.bytes, keeping.does === 'replace' ? keeping.key : null)
    }
  }
}

/** The position of a batch of records in the metadata log. */
export interface RecordsPosition {
  /** The offset of the last record. */
  readonly offset: number
  readonly epoch: number
  readonly timestamp: number
  /** The records about the quorum in the same batch. */
  readonly quorum?: Partial<QuorumRecords>
}

/**
 * Returns the image that results from applying the records, and what the records have changed.
 * `image` itself does not change. Throws a RangeError if a record contradicts earlier records.
 */
export function applyChange(
  image: MetadataImage,
  records: Iterable<AnyRecord>,
  at: RecordsPosition,
): { image: MetadataImage; delta: ImageDelta } {
  const draft = new ImageDraft(image)
  for (const r of records) applyOne(draft, image, r)
  return {
    image: {
      offset: at.offset,
      epoch: at.epoch,
      timestamp: at.timestamp,
      topicsByName: draft.topicsByName.result(),
      topicsById: draft.topicsById.result(),
      collisions: draft.collisions.result(),
      configs: draft.configs.result(),
      brokers: draft.brokers.result(),
      features: draft.features.result(),
      nextProducerId: draft.nextProducerId,
      kept: draft.kept.result(),
      keptOrder: draft.keptOrder,
      unknownTags: draft.unknownTags.result(),
      quorum: at.quorum ? { ...image.quorum, ...at.quorum } : image.quorum,
    },
    delta: { topicIds: draft.topicIds, configKeys: draft.configKeys },
  }
}

/** Returns the same image as `applyChange`, without the changes. */
export function applyRecords(
  image: MetadataImage,
  records: Iterable<AnyRecord>,
  offset: number,
  epoch: number,
): MetadataImage {
  return applyChange(image, records, { offset, epoch, timestamp: image.timestamp }).image
}
