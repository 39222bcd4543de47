import type { EndpointImage, MetadataImage, PartitionImage } from './image.ts'
import { type MetadataRecord, record } from './records.ts'

/** What a broker says of itself when it starts. */
export interface Registration {
  readonly brokerId: number
  /** A new one for each start. */
  readonly incarnationId: string
  readonly endpoints: readonly EndpointImage[]
  readonly rack: string | null
  readonly logDirs: readonly string[]
}

/** metadata.version 30 is 4.3-IV0. What Millrace cannot do yet (consumer protocol, transactions v2, share groups) is not among the features. */
export const METADATA_VERSION = { name: 'metadata.version', min: 30, max: 30 } as const

/** A partition that a node is to lead in a new epoch. */
export interface Election {
  readonly topicId: string
  readonly partition: PartitionImage
}

/**
 * The records with which a node leads partitions in a new epoch. Readers then ask where the epoch before ended, and notice when a crash of the
 * machine took records that they had read already (KIP-320).
 */
export function electionRecords(nodeId: number, elections: readonly Election[]): MetadataRecord[] {
  return elections.map(({ topicId, partition: { partition: partitionId, isr } }) =>
    record('PartitionChange', { topicId, partitionId, leader: nodeId, isr: isr.includes(nodeId) ? null : [nodeId] }),
  )
}

/** The records with which a node begins to lead: the features of a new cluster, and its own registration. */
export function startRecords(image: MetadataImage, r: Registration, offset: number): MetadataRecord[] {
  const bootstrap = image.features.has(METADATA_VERSION.name)
    ? []
    : [record('FeatureLevel', { name: METADATA_VERSION.name, featureLevel: METADATA_VERSION.max })]
  const registration = record('RegisterBroker', {
    brokerId: r.brokerId,
    incarnationId: r.incarnationId,
    // as in Kafka, the offset of the registration, which no other one has
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
