import {
  BrokerRegistrationChangeRecord,
  FenceBrokerRecord,
  RegisterBrokerRecord,
  RegisterControllerRecord,
  UnfenceBrokerRecord,
  UnregisterBrokerRecord,
} from '../../protocol/messages/metadata/brokers.ts'
import { ClientQuotaRecord, ConfigRecord, FeatureLevelRecord } from '../../protocol/messages/metadata/configs.ts'
import { ProducerIdsRecord } from '../../protocol/messages/metadata/producer-ids.ts'
import {
  ClearElrRecord,
  PartitionChangeRecord,
  PartitionRecord,
  RemoveTopicRecord,
  TopicRecord,
} from '../../protocol/messages/metadata/topics.ts'
import {
  AbortTransactionRecord,
  BeginTransactionRecord,
  EndTransactionRecord,
  NoOpRecord,
} from '../../protocol/messages/metadata/transactions.ts'
import { codecOf, decode } from '../../protocol/schema/codec.ts'
import type { Message, MessageDeclaration, MessageInput } from '../../protocol/schema/declare.ts'
import { Reader } from '../../protocol/schema/reader.ts'
import { inVersions } from '../../protocol/schema/versions.ts'
import { Writer } from '../../protocol/schema/writer.ts'
import { encodeWithTags, type UnknownTag, unknownTagsOf } from './unknown-tags.ts'

/**
 * The types of metadata records that Millrace uses. `version` is the version of the record that is
 * written at metadata.version 30 (4.3-IV0).
 */
const KINDS = {
  RegisterBroker: { declaration: RegisterBrokerRecord, version: 4 },
  UnregisterBroker: { declaration: UnregisterBrokerRecord, version: 0 },
  Topic: { declaration: TopicRecord, version: 0 },
  Partition: { declaration: PartitionRecord, version: 2 },
  Config: { declaration: ConfigRecord, version: 0 },
  PartitionChange: { declaration: PartitionChangeRecord, version: 2 },
  FenceBroker: { declaration: FenceBrokerRecord, version: 0 },
  UnfenceBroker: { declaration: UnfenceBrokerRecord, version: 0 },
  RemoveTopic: { declaration: RemoveTopicRecord, version: 0 },
  FeatureLevel: { declaration: FeatureLevelRecord, version: 0 },
  ClientQuota: { declaration: ClientQuotaRecord, version: 0 },
  ProducerIds: { declaration: ProducerIdsRecord, version: 0 },
  BrokerRegistrationChange: { declaration: BrokerRegistrationChangeRecord, version: 3 },
  NoOp: { declaration: NoOpRecord, version: 0 },
  BeginTransaction: { declaration: BeginTransactionRecord, version: 0 },
  EndTransaction: { declaration: EndTransactionRecord, version: 0 },
  AbortTransaction: { declaration: AbortTransactionRecord, version: 0 },
  RegisterController: { declaration: RegisterControllerRecord, version: 0 },
  ClearElr: { declaration: ClearElrRecord, version: 0 },
} as const

type Kinds = typeof KINDS
export type MetadataRecordKind = keyof Kinds

/** A record of the metadata log, with its original bytes. */
export type MetadataRecord = {
  [K in MetadataRecordKind]: {
    readonly kind: K
    readonly value: Message<Kinds[K]['declaration']>
    readonly bytes: Buffer
    /** Tagged fields that the declaration does not have. Absent if all tagged fields are known. */
    readonly unknownTags?: readonly UnknownTag[]
  }
}[MetadataRecordKind]

/** A record of a type that Millrace does not use. It has no effect, but snapshots contain it. */
export interface UnknownRecord {
  readonly kind: 'Unknown'
  readonly apiKey: number
  readonly version: number
  readonly bytes: Buffer
}

const BY_KEY = new Map(
  (Object.keys(KINDS) as MetadataRecordKind[]).map(kind => [KINDS[kind].declaration.apiKey!, kind] as const),
)

/** The version of the frame around each record (Kafka's AbstractApiMessageSerde). */
const FRAME_VERSION = 1

/**
 * The types that are only kept for Apache Kafka. A newer version of these is therefore accepted.
 */
const ONLY_KEPT: ReadonlySet<MetadataRecordKind> = new Set(['ClientQuota', 'RegisterController'])

/**
 * Creates a record. Omitted fields get their defaults. `value` is the value that a replay reads.
 */
export function record<K extends MetadataRecordKind>(
  kind: K,
  input: MessageInput<Kinds[K]['declaration']>,
): MetadataRecord {
  const declaration: MessageDeclaration = KINDS[kind].declaration
  const bytes = recordBytes(kind, input)
  // The frame version, the API key and the version are all below 128, so each takes one byte.
  return { kind, value: decode(declaration, KINDS[kind].version, bytes, 3), bytes } as MetadataRecord
}

/** Encodes a record. Adds tagged fields that the declaration does not have. */
export function recordBytes<K extends MetadataRecordKind>(
  kind: K,
  input: MessageInput<Kinds[K]['declaration']>,
  tags: readonly UnknownTag[] = [],
): Buffer {
  const declaration: MessageDeclaration = KINDS[kind].declaration
  const { version } = KINDS[kind]
  const writer = new Writer()
  for (const n of [FRAME_VERSION, declaration.apiKey!, version]) writer.uvarint(n)
  if (tags.length > 0) return Buffer.concat([...writer.finish(), encodeWithTags(declaration, version, input, tags)])
  codecOf(declaration, version).write(writer, input)
  return Buffer.concat(writer.finish())
}

/** Decodes a record of the metadata log. Throws a ProtocolError if the bytes are invalid. */
export function decodeRecord(bytes: Buffer): MetadataRecord | UnknownRecord {
  const reader = new Reader(bytes, 0, bytes.length, 'metadata record')
  const frame = reader.uvarint()
  if (frame !== FRAME_VERSION) throw new RangeError(`the frame version of a metadata record is ${frame}, but must be 1`)
  const apiKey = reader.uvarint()
  const version = reader.uvarint()
  const kind = BY_KEY.get(apiKey)
  const declaration = kind === undefined ? null : (KINDS[kind].declaration as MessageDeclaration)
  if (declaration === null || (ONLY_KEPT.has(kind!) && !inVersions(declaration.versions, version)))
    return { kind: 'Unknown', apiKey, version, bytes }
  const value = decode(declaration, version, bytes, reader.pos)
  const unknownTags = unknownTagsOf(declaration, version, value, bytes.subarray(reader.pos))
  return { kind, value, bytes, ...(unknownTags.length > 0 && { unknownTags }) } as MetadataRecord
}
