import { malformed } from '../../errors.ts'
import { codecOf } from '../../schema/codec.ts'
import type { Message, MessageDeclaration, MessageInput } from '../../schema/declare.ts'
import { Reader } from '../../schema/reader.ts'
import { Writer } from '../../schema/writer.ts'
import { GroupMetadataKey } from './groups.ts'
import { OffsetCommitKey } from './offsets.ts'

/**
 * A decoded key of a record in `__consumer_offsets`. `type` is the first int16 of the key. `kind`
 * is `other` for types that are not supported.
 */
export type CoordinatorKey =
  | { readonly kind: 'offset'; readonly type: number; readonly key: Message<typeof OffsetCommitKey> }
  | { readonly kind: 'group'; readonly type: number; readonly key: Message<typeof GroupMetadataKey> }
  | { readonly kind: 'other'; readonly type: number }

/**
 * Encodes a key of `__consumer_offsets` or `__transaction_state`: an int16 type, then the key
 * message in version 0.
 */
export function encodeCoordinatorKey<M extends MessageDeclaration>(declaration: M, value: MessageInput<M>): Buffer {
  const codec = codecOf(declaration, 0)
  const writer = new Writer()
  writer.int16(declaration.apiKey!, 'type')
  codec.write(writer, value)
  const chunks = writer.finish()
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

/**
 * Decodes a key of `__consumer_offsets`. Keys of type 0, which Kafka wrote before version 0.9, have
 * the layout of type 1.
 */
export function decodeCoordinatorKey(buf: Buffer): CoordinatorKey {
  const reader = new Reader(buf, 0, buf.length, 'key of __consumer_offsets')
  const type = reader.int16()
  if (type < 0) throw malformed('key of __consumer_offsets', `its type is ${type}, which is negative`)
  if (type <= OffsetCommitKey.apiKey!)
    return { kind: 'offset', type, key: codecOf(OffsetCommitKey, 0).read(reader) as Message<typeof OffsetCommitKey> }
  if (type === GroupMetadataKey.apiKey)
    return { kind: 'group', type, key: codecOf(GroupMetadataKey, 0).read(reader) as Message<typeof GroupMetadataKey> }
  return { kind: 'other', type }
}
