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
import { Writer } from '../../protocol/schema/writer.ts'

/** The records of the metadata log that mean something here, with the version in which they are written at metadata.version 30 (4.3-IV0). */
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

/** A record of the metadata log, with its bytes as they stand there. */
export type MetadataRecord = {
  [K in MetadataRecordKind]: {
    readonly kind: K
    readonly value: Message<Kinds[K]['declaration']>
    readonly bytes: Buffer
  }
}[MetadataRecordKind]

/** A record that this version knows nothing of: it is kept in the log and changes nothing. */
export interface UnknownRecord {
  readonly kind: 'Unknown'
  readonly apiKey: number
}

const BY_KEY = new Map(
  (Object.keys(KINDS) as MetadataRecordKind[]).map(kind => [KINDS[kind].declaration.apiKey!, kind] as const),
)

/** The version of the frame around each record (Kafka's AbstractApiMessageSerde). */
const FRAME_VERSION = 1

/** Makes a record: missing fields get their defaults, and `value` is what a replay will read. */
export function record<K extends MetadataRecordKind>(
  kind: K,
  input: MessageInput<Kinds[K]['declaration']>,
): MetadataRecord {
  const declaration: MessageDeclaration = KINDS[kind].declaration
  const version = KINDS[kind].version
  const writer = new Writer()
  for (const n of [FRAME_VERSION, declaration.apiKey!, version]) writer.uvarint(n)
  codecOf(declaration, version).write(writer, input)
  const bytes = Buffer.concat(writer.finish())
  // frame version, api key and version are all below 128: one byte each
  return { kind, value: decode(declaration, version, bytes, 3), bytes } as MetadataRecord
}

/** Reads the value of a record of the metadata log. Throws a ProtocolError on bytes that are not one. */
export function decodeRecord(bytes: Buffer): MetadataRecord | UnknownRecord {
  const reader = new Reader(bytes, 0, bytes.length, 'metadata record')
  const frame = reader.uvarint()
  if (frame !== FRAME_VERSION) throw new RangeError(`metadata record with frame version ${frame}, expected 1`)
  const apiKey = reader.uvarint()
  const version = reader.uvarint()
  const kind = BY_KEY.get(apiKey)
  if (kind === undefined) return { kind: 'Unknown', apiKey }
  const value = decode(KINDS[kind].declaration as MessageDeclaration, version, bytes, reader.pos)
  return { kind, value, bytes } as MetadataRecord
}
