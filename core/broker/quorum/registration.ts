import type { EndpointImage, MetadataImage, PartitionImage } from './image.ts'
import { type MetadataRecord, record } from './records.ts'

/** The registration of a broker. A broker writes it when it starts. */
export interface Registration {
  readonly brokerId: number
  /** The id of this start. Each start of the broker has a new id. */
  readonly incarnationId: string
  readonly endpoints: readonly EndpointImage[]
  readonly rack: string | null
  readonly logDirs: readonly string[]
}

/**
 * The metadata.version that Millrace announces: 30 is 4.3-IV0. Features that Millrace does not
 * support yet (consumer protocol, transactions v2, share groups) are not announced.
 */
export const METADATA_VERSION = { name: 'metadata.version', min: 30, max: 30 } as const

/** A partition whose leader this node becomes, in a new epoch. */
export interface Election {
  readonly topicId: string
  readonly partition: PartitionImage
}

/**
 * Returns the records with which a node becomes the leader of partitions in a new epoch. Readers
 * then ask where the previous epoch ended, and detect that a crash lost records that they have read
 * (KIP-320).
 */
export function electionRecords(nodeId: number, elections: readonly Election[]): MetadataRecord[] {
  return elections.map(({ topicId, partition: { partition: partitionId, isr } }) =>
    record('PartitionChange', { topicId, partitionId, leader: nodeId, isr: isr.includes(nodeId) ? null : [nodeId] }),
  )
}

/**
 * Returns the records that a node writes when it becomes the leader of the quorum: the features if
 * the cluster is new, and its own registration.
 */
export function startRecords(image: MetadataImage, r: Registration, offset: number): MetadataRecord[] {
  const bootstrap = image.features.has(METADATA_VERSION.name)
    ? []
    : [record('FeatureLevel', { name: METADATA_VERSION.name, featureLevel: METADATA_VERSION.max })]
  const registration = record('RegisterBroker', {
    brokerId: r.brokerId,
    incarnationId: r.incarnationId,
    // As in Kafka, the epoch is the offset of the registration record, which is unique.
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
