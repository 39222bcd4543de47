import { type Api, ApiKey, apis } from '../../protocol/api-keys.ts'
import { ErrorCode, errorName, kafkaCodeOf } from '../../protocol/error-codes.ts'
import { isProtocolError } from '../../protocol/errors.ts'
import { decodeRequestHeader, encodeResponseFrame, type RequestHeader } from '../../protocol/headers.ts'
import { decode } from '../../protocol/schema/codec.ts'
import type { MessageDeclaration, MessageInput } from '../../protocol/schema/declare.ts'
import { inVersions } from '../../protocol/schema/versions.ts'
import { brokerErrors } from '../errors.ts'
import type {
  AnyHandler,
  BrokerServices,
  ConnectionInfo,
  Handler,
  RequestContext,
  RequestMemory,
} from '../handlers/handler.ts'

/** The chunks of a response. Null if the request has no response. */
export type Response = Buffer[] | null

type Erased = Handler<unknown, MessageInput<MessageDeclaration>>

/** Decodes requests, calls their handlers and encodes the responses. */
export class Dispatcher {
  readonly #handlers: ReadonlyMap<number, AnyHandler>
  readonly #broker: BrokerServices

  constructor(handlers: ReadonlyMap<number, AnyHandler>, broker: BrokerServices) {
    this.#handlers = handlers
    this.#broker = broker
  }

  /** Whether a request may be handled concurrently with other requests of its connection. */
  overlaps(frame: Buffer): boolean {
    return frame.length >= 2 && this.#handlers.get(frame.readInt16BE(0))?.overlaps === true
  }

  /**
   * Handles a request. Throws or rejects if there can be no response. The caller then closes the
   * connection.
   */
  dispatch(
    frame: Buffer,
    connection: ConnectionInfo,
    signal: AbortSignal,
    memory: RequestMemory,
  ): Response | Promise<Response> {
    const startedAt = performance.now()
    const header = decodeRequestHeader(frame)
    const api = apis.get(header.apiKey)
    const handler = this.#handlers.get(header.apiKey) as Erased | undefined
    if (!api || !handler) throw unsupported(header)
    let body: unknown
    if (header.apiVersion < api.minVersion || header.apiVersion > api.maxVersion) {
      if (api.key !== ApiKey.ApiVersions) throw unsupported(header, api)
      // Answer in version 0, which every client understands (KIP-511).
      return this.#encode(
        api,
        { ...header, apiVersion: 0 },
        {
          errorCode: ErrorCode.UNSUPPORTED_VERSION,
          apiKeys: [{ apiKey: api.key, minVersion: api.minVersion, maxVersion: api.maxVersion }],
        },
      )
    }
    body = decode(api.request, header.apiVersion, frame, header.end)
    const { apiKey, apiVersion, correlationId, clientId } = header
    const ctx: RequestContext = {
      apiKey,
      apiVersion,
      correlationId,
      clientId,
      connection,
      signal,
      memory,
      broker: this.#broker,
    }
    let result: ReturnType<Erased['handle']>
    try {
      result = handler.handle(body, ctx)
    } catch (error) {
      return this.#finish(api, header, this.#errorResponse(error, api, handler, body, ctx), startedAt)
    }
    if (!(result instanceof Promise)) return this.#finish(api, header, result, startedAt)
    return result.then(
      response => this.#finish(api, header, response, startedAt),
      error => this.#finish(api, header, this.#errorResponse(error, api, handler, body, ctx), startedAt),
    )
  }

  #finish(
    api: Api,
    header: RequestHeader,
    response: MessageInput<MessageDeclaration> | null,
    startedAt: number,
  ): Response {
    const bytes = response === null ? null : this.#encode(api, header, response)
    const stats = this.#broker.stats.api(api.key, api.name)
    stats.answered(header.apiVersion, startedAt)
    // The handlers of Produce and Fetch count errors themselves, for each partition.
    if (api.key !== ApiKey.Produce && api.key !== ApiKey.Fetch) stats.error(errorCodeOf(response))
    return bytes
  }

  #encode(api: Api, header: RequestHeader, response: MessageInput<MessageDeclaration>): Buffer[] {
    return encodeResponseFrame(api.key, header.apiVersion, header.correlationId, api.response, response)
  }

  /** Returns the response for an error, or throws the error if the API has no error response. */
  #errorResponse(error: unknown, api: Api, handler: Erased, body: unknown, ctx: RequestContext) {
    if (isProtocolError(error) && error.code !== 'MR_PROTOCOL_KAFKA') throw error
    const code = kafkaCodeOf(error)
    if (code === ErrorCode.UNKNOWN_SERVER_ERROR && !ctx.signal.aborted)
      this.#broker.logger.error(`${api.name} v${ctx.apiVersion} of ${ctx.clientId ?? 'a client'} failed`, error)
    if (handler.onError) return handler.onError(code, body, ctx)
    const field = api.response.fields['errorCode']
    if (field && inVersions(field.versions, ctx.apiVersion)) return { errorCode: code } as object
    throw error instanceof Error ? error : new Error(errorName(code))
  }
}

function errorCodeOf(response: MessageInput<MessageDeclaration> | null): number {
  const code = response === null ? 0 : (response as { readonly errorCode?: unknown }).errorCode
  return typeof code === 'number' ? code : ErrorCode.NONE
}

function unsupported(header: RequestHeader, api?: Api) {
  return brokerErrors.create('MR_BROKER_UNSUPPORTED_API', {
    api: api ? `${api.name} (${header.apiKey})` : `API key ${header.apiKey}`,
    version: header.apiVersion,
  })
}
