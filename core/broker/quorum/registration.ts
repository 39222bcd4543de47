import type { EndpointImage, MetadataImage, PartitionImage } from './image.ts'
import { type MetadataRecord, record } from './records.ts'

/** The registration of a broker, which it writes when it starts. */
export interface Registration {
  readonly brokerId: number
  /** The id of this start: each start has a new one. */
  readonly incarnationId: string
  readonly endpoints: readonly EndpointImage[]
  readonly rack: string | null
  readonly logDirs: readonly string[]
}

/**
 * metadata.version 30 is 4.3-IV0. Features that Millrace does not support yet (consumer protocol,
 * transactions v2, share groups) are not announced.
 */
export const METADATA_VERSION = { name: 'metadata.version', min: 30, max: 30 } as const

/** A partition that a node should lead in a new epoch. */
export interface Election {
  readonly topicId: string
  readonly partition: PartitionImage
}

/**
 * Returns the records with which a node leads partitions in a new epoch. Readers then ask where the
 * previous epoch ended, and detect that a crash lost records which they had already read (KIP-320).
 */
export function electionRecords(nodeId: number, elections: readonly Election[]): MetadataRecord[] {
  return elections.map(({ topicId, partition: { partition: partitionId, isr } }) =>
    record('PartitionChange', { topicId, partitionId, leader: nodeId, isr: isr.includes(nodeId) ? null : [nodeId] }),
  )
}

/**
 * Returns the records that a node writes when it becomes leader: the features of a new cluster, and
 * its own registration.
 */
export function startRecords(image: MetadataImage, r: Registration, offset: number): MetadataRecord[] {
  const bootstrap = image.features.has(METADATA_VERSION.name)
    ? []
    : [record('FeatureLevel', { name: METADATA_VERSION.name, featureLevel: METADATA_VERSION.max })]
  const registration = record('RegisterBroker', {
    brokerId: r.brokerId,
    incarnationId: r.incarnationId,
    // As in Kafka, the epoch is the offset of the registration, which is unique.
    brokerEpoch: offset + bootstrap.length,
    endPoints: r.endpoints,
    features: [
      {
        name: METADATA_VERSION.name,
        minSupportedVersion: METADATA_VERSION.min,
        maxSupportedVersion: METADATA_VERSION.max,
      },
    ],
    rack: r.rack,
    fenced: false,
    logDirs: r.logDirs,
  })
  return [...bootstrap, registration]
}
