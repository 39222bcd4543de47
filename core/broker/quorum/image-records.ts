import { tagKeys } from './apply.ts'
import { configKey, type MetadataImage, type PartitionImage, type TopicImage } from './image.ts'
import { recordBytes } from './records.ts'
import { METADATA_VERSION } from './registration.ts'

/**
 * Yields the records of a snapshot, which describe an image. As in Apache Kafka, features come
 * first, because other records may depend on them. Records that Millrace does not use come last, in
 * log order.
 */
export function* imageRecords(image: MetadataImage): Generator<Buffer> {
  yield* features(image)
  yield* brokers(image)
  for (const topic of image.topicsById.values()) yield* topicRecords(image, topic)
  yield* configs(image)
  if (image.nextProducerId > 0) {
    const { nextProducerId } = image
    const value = { brokerId: -1, brokerEpoch: -1, nextProducerId }
    yield recordBytes('ProducerIds', value, image.unknownTags.get(tagKeys.producerIds))
  }
  const kept = [...image.kept.values()].sort((a, b) => a.order - b.order)
  for (const { bytes } of kept) yield bytes
}

function* features(image: MetadataImage): Generator<Buffer> {
  const isFirst = (name: string) => (name === METADATA_VERSION.name ? 0 : 1)
  for (const [name, featureLevel] of [...image.features].sort(([a], [b]) => isFirst(a) - isFirst(b)))
    yield recordBytes('FeatureLevel', { name, featureLevel }, image.unknownTags.get(tagKeys.feature(name)))
}

function* brokers(image: MetadataImage): Generator<Buffer> {
  for (const b of image.brokers.values()) {
    const value = {
      brokerId: b.id,
      incarnationId: b.incarnationId,
      brokerEpoch: b.epoch,
      endPoints: b.endpoints,
      features: b.features,
      rack: b.rack,
      fenced: b.fenced,
      inControlledShutdown: b.inControlledShutdown,
      logDirs: b.logDirs,
      cordonedLogDirs: b.cordonedLogDirs,
    }
    yield recordBytes('RegisterBroker', value, image.unknownTags.get(tagKeys.broker(b.id)))
  }
}

function* topicRecords(image: MetadataImage, topic: TopicImage): Generator<Buffer> {
  const value = { name: topic.name, topicId: topic.id }
  yield recordBytes('Topic', value, image.unknownTags.get(tagKeys.topic(topic.id)))
  for (const p of topic.partitions) yield partitionRecord(image, topic.id, p)
}

function partitionRecord(image: MetadataImage, topicId: string, p: PartitionImage): Buffer {
  const { partition, extras, ...fields } = p
  const value = { partitionId: partition, topicId, ...fields, ...extras }
  return recordBytes('Partition', value, image.unknownTags.get(tagKeys.partition(topicId, partition)))
}

function* configs(image: MetadataImage): Generator<Buffer> {
  for (const [resource, values] of image.configs) {
    const at = resource.indexOf(':')
    const resourceType = Number(resource.slice(0, at))
    const resourceName = resource.slice(at + 1)
    for (const [name, value] of values) {
      const tags = image.unknownTags.get(tagKeys.config(configKey(resourceType, resourceName), name))
      yield recordBytes('Config', { resourceType, resourceName, name, value }, tags)
    }
  }
}
