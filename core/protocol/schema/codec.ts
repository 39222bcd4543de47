import { protocolErrors } from '../errors.ts'
import { type Codec, compile } from './compile.ts'
import type { Message, MessageDeclaration, MessageInput } from './declare.ts'
import { Reader } from './reader.ts'
import { parseVersions } from './versions.ts'
import { Writer } from './writer.ts'

export interface DecodeOptions {
  /**
   * How many elements all arrays of the message may have together, nested ones included; more is MR_PROTOCOL_MALFORMED before they are made.
   * Default: `MAX_REQUEST_ELEMENTS` for requests, `MAX_ELEMENTS` for responses and data.
   */
  readonly maxElements?: number
}

/**
 * A struct of three bytes on the wire is an object of a hundred. This leaves room for every partition that a cluster can have, and bounds what one
 * request can make a broker hold.
 */
export const MAX_REQUEST_ELEMENTS = 1_000_000
/** A response names partitions, and of each its replicas and more. */
export const MAX_ELEMENTS = 5_000_000

const codecs = new WeakMap<MessageDeclaration, Codec[]>()

/** The codec of a message in a version, compiled when first asked for. Throws MR_PROTOCOL_UNSUPPORTED_VERSION. */
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
 * Encodes a message into chunks that follow each other. Missing fields have their defaults; `bytes` and `records` from
 * 1 KiB on are referenced, not copied, so they must not change before the chunks are sent.
 * Throws MR_PROTOCOL_UNREPRESENTABLE where a value does not fit its field or the version.
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

/** As `encode`, in one buffer. For messages that are small, such as the records of internal topics. */
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

/** Decodes a message and says where it ended; what follows is not looked at. Byte fields are slices of `buf`. */
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

/** Decodes a message. Byte fields are slices of `buf`. Throws MR_PROTOCOL_MALFORMED, and nothing else, on any bytes. */
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

/** Encodes an int16 version and the message: how coordinators' records and consumers' subscriptions are kept. */
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
 * Decodes an int16 version and the message. A version newer than the newest known one is read as that one where
 * `lenient` says so: what Java's consumers do with each other's subscriptions.
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
