import { malformed } from '../../errors.ts'
import { codecOf } from '../../schema/codec.ts'
import type { Message, MessageDeclaration, MessageInput } from '../../schema/declare.ts'
import { Reader } from '../../schema/reader.ts'
import { Writer } from '../../schema/writer.ts'
import * as brokers from './brokers.ts'
import * as configs from './configs.ts'
import * as producerIds from './producer-ids.ts'
import * as security from './security.ts'
import * as topics from './topics.ts'
import * as transactions from './transactions.ts'

/** All KRaft metadata records, by name. */
export const metadataRecords = { ...brokers, ...configs, ...producerIds, ...security, ...topics, ...transactions }

type Declarations = typeof metadataRecords

/** A decoded record of `__cluster_metadata-0`. `name` is the name of the record's declaration. */
export type MetadataRecord = {
  [K in keyof Declarations]: { readonly name: K; readonly version: number; readonly value: Message<Declarations[K]> }
}[keyof Declarations]

const byKey = new Map<number, readonly [keyof Declarations, MessageDeclaration]>(
  Object.entries(metadataRecords).map(([name, record]) => [record.apiKey!, [name as keyof Declarations, record]]),
)

/** The only version of the frame around a metadata record. */
const FRAME_VERSION = 1

/**
 * Returns the value of a record in the metadata log: the frame version, the record's type and
 * version as varints, then the record.
 */
export function encodeMetadataRecord<M extends MessageDeclaration>(
  declaration: M,
  version: number,
  value: MessageInput<M>,
): Buffer {
  const codec = codecOf(declaration, version)
  const writer = new Writer()
  writer.uvarint(FRAME_VERSION)
  writer.uvarint(declaration.apiKey!)
  writer.uvarint(version)
  codec.write(writer, value)
  const chunks = writer.finish()
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

/**
 * Decodes the value of a record in the metadata log. Throws MR_PROTOCOL_MALFORMED for an unknown
 * record type.
 */
export function decodeMetadataRecord(buf: Buffer): MetadataRecord {
  const reader = new Reader(buf, 0, buf.length, 'metadata record')
  const frame = reader.uvarint()
  if (frame !== FRAME_VERSION)
    throw malformed('metadata record', `its frame version is ${frame}, but must be ${FRAME_VERSION}`)
  const key = reader.uvarint()
  const version = reader.uvarint()
  const found = byKey.get(key)
  if (!found) throw malformed('metadata record', `its type ${key} is unknown`)
  const [name, declaration] = found
  return { name, version, value: codecOf(declaration, version).read(reader) } as MetadataRecord
}
