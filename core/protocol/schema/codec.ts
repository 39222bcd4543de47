import { protocolErrors } from '../errors.ts'
import { type Codec, compile } from './compile.ts'
import type { Message, MessageDeclaration, MessageInput } from './declare.ts'
import { Reader } from './reader.ts'
import { parseVersions } from './versions.ts'
import { Writer } from './writer.ts'

export interface DecodeOptions {
  /**
   * The maximum number of elements in all arrays of the message together, including nested arrays.
   * A message with more elements causes MR_PROTOCOL_MALFORMED before the elements are allocated.
   * Default: `MAX_REQUEST_ELEMENTS` for requests, and `MAX_ELEMENTS` for responses and data.
   */
  readonly maxElements?: number
}

/**
 * The maximum number of elements in all arrays of a request. It is high enough to name every
 * partition of a large cluster. It bounds the memory of a request, because a struct of three bytes
 * is decoded to an object of about a hundred bytes.
 */
export const MAX_REQUEST_ELEMENTS = 1_000_000
/**
 * The maximum number of elements in all arrays of a response or of data. It is higher than that for
 * requests, because for each partition a response also lists replicas and other elements.
 */
export const MAX_ELEMENTS = 5_000_000

const codecs = new WeakMap<MessageDeclaration, Codec[]>()

/**
 * Returns the codec for a version of a message. Compiles the codec on first use. Throws
 * MR_PROTOCOL_UNSUPPORTED_VERSION.
 */
export function codecOf(declaration: MessageDeclaration, version: number): Codec {
  let versions = codecs.get(declaration)
  if (!versions) codecs.set(declaration, (versions = []))
  const known = versions[version]
  if (known) return known
  const { min, max } = parseVersions(declaration.versions)
  if (!(version >= min && version <= max) || !Number.isInteger(version))
    throw protocolErrors.create('MR_PROTOCOL_UNSUPPORTED_VERSION', {
      what: declaration.name,
      version,
      versions: declaration.versions,
    })
  return (versions[version] = compile(declaration, version))
}

/**
 * Encodes a message into consecutive chunks. Missing fields get their defaults. Values of `bytes`
 * and `records` fields of at least 1 KiB are referenced instead of copied, so they must not change
 * before the chunks are sent. Throws MR_PROTOCOL_UNREPRESENTABLE for a value that does not fit into
 * its field, or whose field does not exist in the version.
 */
export function encode<M extends MessageDeclaration>(
  declaration: M,
  version: number,
  value: MessageInput<M>,
): Buffer[] {
  const codec = codecOf(declaration, version)
  const writer = new Writer()
  codec.write(writer, value)
  return writer.finish()
}

/**
 * Like `encode`, but returns one buffer. Use it for small messages, such as the records of internal
 * topics.
 */
export function encodeToBuffer<M extends MessageDeclaration>(
  declaration: M,
  version: number,
  value: MessageInput<M>,
): Buffer {
  return joined(encode(declaration, version, value))
}

function readerOf({ name, type }: MessageDeclaration, buf: Buffer, at: number, o?: DecodeOptions): Reader {
  return new Reader(
    buf,
    at,
    buf.length,
    name,
    o?.maxElements ?? (type === 'request' ? MAX_REQUEST_ELEMENTS : MAX_ELEMENTS),
  )
}

/**
 * Decodes a message, and returns the position after the message. Ignores later bytes. Byte fields
 * are slices of `buf`.
 */
export function decodeWithLength<M extends MessageDeclaration>(
  declaration: M,
  version: number,
  buf: Buffer,
  offset = 0,
  options?: DecodeOptions,
): { value: Message<M>; end: number } {
  const codec = codecOf(declaration, version)
  const reader = readerOf(declaration, buf, offset, options)
  return { value: codec.read(reader) as Message<M>, end: reader.pos }
}

/**
 * Decodes a message. Byte fields are slices of `buf`. The only error for invalid bytes is
 * MR_PROTOCOL_MALFORMED.
 */
export function decode<M extends MessageDeclaration>(
  declaration: M,
  version: number,
  buf: Buffer,
  offset = 0,
  options?: DecodeOptions,
): Message<M> {
  const codec = codecOf(declaration, version)
  return codec.read(readerOf(declaration, buf, offset, options)) as Message<M>
}

/** Encodes an int16 version and a message, as in coordinator records and consumer subscriptions. */
export function encodeVersioned<M extends MessageDeclaration>(
  declaration: M,
  version: number,
  value: MessageInput<M>,
): Buffer {
  const codec = codecOf(declaration, version)
  const writer = new Writer()
  writer.int16(version, 'version')
  codec.write(writer, value)
  return joined(writer.finish())
}

/**
 * Decodes an int16 version and a message. With `lenient`, an unknown newer version is decoded as
 * the newest known version, as Java's consumers do with the subscriptions of other members.
 */
export function decodeVersioned<M extends MessageDeclaration>(
  declaration: M,
  buf: Buffer,
  options: { lenient?: boolean } = {},
): { version: number; value: Message<M> } {
  const reader = readerOf(declaration, buf, 0)
  const version = reader.int16()
  const { max } = parseVersions(declaration.versions)
  const codec = codecOf(declaration, options.lenient && version > max ? max : version)
  return { version, value: codec.read(reader) as Message<M> }
}

function joined(chunks: Buffer[]): Buffer {
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}
