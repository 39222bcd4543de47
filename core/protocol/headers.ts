import { isFlexible } from './flexible-versions.ts'
import { codecOf } from './schema/codec.ts'
import type { MessageDeclaration, MessageInput } from './schema/declare.ts'
import { Reader } from './schema/reader.ts'
import { inVersions } from './schema/versions.ts'
import { Writer } from './schema/writer.ts'

/** The header of a request, which precedes the body. */
export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
}

/**
 * Responses of ApiVersions always have header 0, because the client does not yet know which
 * versions the broker supports.
 */
const API_VERSIONS = 18

function flexibleResponse(apiKey: number, apiVersion: number): boolean {
  return apiKey !== API_VERSIONS && isFlexible(apiKey, apiVersion)
}

/** Returns an encoded request: its size as an int32, the header and the body. */
export function encodeRequestFrame<M extends MessageDeclaration>(
  header: RequestHeader,
  declaration: M,
  value: MessageInput<M>,
): Buffer[] {
  const codec = codecOf(declaration, header.apiVersion)
  const writer = new Writer()
  writer.int32(0, 'size')
  writer.int16(header.apiKey, 'apiKey')
  writer.int16(header.apiVersion, 'apiVersion')
  writer.int32(header.correlationId, 'correlationId')
  // Even in header 2, the length of the client id is an int16.
  writer.stringOrNull(header.clientId, 'clientId')
  if (inVersions(declaration.flexible, header.apiVersion)) writer.uvarint(0)
  codec.write(writer, value)
  return writer.finish(true)
}

/**
 * Decodes the header of a request. `offset` is the position after the int32 size. `end` is the
 * position of the body.
 */
export function decodeRequestHeader(buf: Buffer, offset = 0): RequestHeader & { readonly end: number } {
  const reader = new Reader(buf, offset, buf.length, 'RequestHeader')
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  const correlationId = reader.int32()
  const clientId = reader.stringOrNull()
  if (isFlexible(apiKey, apiVersion)) skipTags(reader)
  return { apiKey, apiVersion, correlationId, clientId, end: reader.pos }
}

/** Returns an encoded response: its size as an int32, the header and the body. */
export function encodeResponseFrame<M extends MessageDeclaration>(
  apiKey: number,
  apiVersion: number,
  correlationId: number,
  declaration: M,
  value: MessageInput<M>,
): Buffer[] {
  const codec = codecOf(declaration, apiVersion)
  const writer = new Writer()
  writer.int32(0, 'size')
  writer.int32(correlationId, 'correlationId')
  if (flexibleResponse(apiKey, apiVersion)) writer.uvarint(0)
  codec.write(writer, value)
  return writer.finish(true)
}

/**
 * Decodes the header of a response. `offset` is the position after the int32 size. `end` is the
 * position of the body.
 */
export function decodeResponseHeader(
  apiKey: number,
  apiVersion: number,
  buf: Buffer,
  offset = 0,
): { readonly correlationId: number; readonly end: number } {
  const reader = new Reader(buf, offset, buf.length, 'ResponseHeader')
  const correlationId = reader.int32()
  if (flexibleResponse(apiKey, apiVersion)) skipTags(reader)
  return { correlationId, end: reader.pos }
}

function skipTags(reader: Reader): void {
  for (let n = reader.uvarint(); n > 0; n--) {
    reader.uvarint()
    reader.take(reader.uvarint())
  }
}
