import { encodeToBuffer } from '../../protocol/schema/codec.ts'
import type { MessageDeclaration } from '../../protocol/schema/declare.ts'
import { Reader } from '../../protocol/schema/reader.ts'
import { inVersions } from '../../protocol/schema/versions.ts'
import { Writer } from '../../protocol/schema/writer.ts'

/** A tagged field that the declaration does not have, because a newer version of Kafka wrote it. */
export interface UnknownTag {
  readonly tag: number
  readonly bytes: Buffer
}

function taggedFields(declaration: MessageDeclaration, version: number): { name: string; tag: number }[] {
  return Object.entries(declaration.fields).flatMap(([name, { options }]) =>
    options.tag !== undefined && options.tagged !== undefined && inVersions(options.tagged, version)
      ? [{ name, tag: options.tag }]
      : [],
  )
}

/**
 * Returns an encoded message without its tagged fields. The number of tagged fields at its end is
 * also omitted.
 */
function bodyOf(declaration: MessageDeclaration, version: number, value: object): Buffer {
  const untagged = taggedFields(declaration, version).map(({ name }) => [name, undefined])
  const bytes = encodeToBuffer(declaration, version, { ...value, ...Object.fromEntries(untagged) } as never)
  return bytes.subarray(0, bytes.length - 1)
}

function readTags(bytes: Buffer, at: number): UnknownTag[] {
  const reader = new Reader(bytes, at, bytes.length, 'tagged fields')
  const tags: UnknownTag[] = []
  for (let n = reader.uvarint(); n > 0; n--) {
    const tag = reader.uvarint()
    const size = reader.uvarint()
    // Copy the bytes, because they are a slice of a larger read buffer.
    tags.push({ tag, bytes: Buffer.from(bytes.subarray(reader.pos, reader.pos + size)) })
    reader.take(size)
  }
  return tags
}

/**
 * Returns the tagged fields of a message that its declaration does not have. `value` is the decoded
 * message, and `bytes` is the encoded message.
 */
export function unknownTagsOf(
  declaration: MessageDeclaration,
  version: number,
  value: object,
  bytes: Buffer,
): UnknownTag[] {
  if (encodeToBuffer(declaration, version, value as never).equals(bytes)) return []
  const body = bodyOf(declaration, version, value)
  // The declared fields are not encoded as in `bytes`, so the unknown fields cannot be found.
  if (!body.equals(bytes.subarray(0, body.length))) return []
  const known = new Set(taggedFields(declaration, version).map(f => f.tag))
  return readTags(bytes, body.length).filter(t => !known.has(t.tag))
}

/** Encodes a message, and adds tagged fields that its declaration does not have. */
export function encodeWithTags(
  declaration: MessageDeclaration,
  version: number,
  value: object,
  tags: readonly UnknownTag[],
): Buffer {
  const plain = encodeToBuffer(declaration, version, value as never)
  if (tags.length === 0) return plain
  const body = bodyOf(declaration, version, value)
  const all = [...readTags(plain, body.length), ...tags].sort((a, b) => a.tag - b.tag)
  const parts = all.flatMap(({ tag, bytes }) => [uvarints(tag, bytes.length), bytes])
  return Buffer.concat([body, uvarints(all.length), ...parts])
}

function uvarints(...numbers: number[]): Buffer {
  const writer = new Writer()
  for (const n of numbers) writer.uvarint(n)
  return Buffer.concat(writer.finish())
}
