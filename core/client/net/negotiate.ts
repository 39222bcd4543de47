import { VERSION } from '../../common/version.ts'
import { ErrorCode, errorFor } from '../../protocol/error-codes.ts'
import { ApiVersionsRequest, ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts'
import type { Message, MessageDeclaration, MessageInput } from '../../protocol/schema/declare.ts'
import { type Api, type BrokerVersions, defineApi } from './api.ts'
import type { RequestOptions } from './pipeline.ts'

const ApiVersions = defineApi(ApiVersionsRequest, ApiVersionsResponse)

/** A connection before its versions are negotiated. */
interface Requester {
  request<Q extends MessageDeclaration, R extends MessageDeclaration>(
    api: Api<Q, R>,
    version: number,
    input: MessageInput<Q>,
    options?: RequestOptions,
  ): Promise<Message<R>>
}

/**
 * Returns the versions that the broker supports. Requests them in the newest version of ApiVersions
 * that both sides support.
 */
export async function negotiateVersions(
  connection: Requester,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<BrokerVersions> {
  const input = { clientSoftwareName: 'millrace', clientSoftwareVersion: VERSION }
  let response = await connection.request(ApiVersions, ApiVersions.max, input, { timeoutMs, signal })
  if (response.errorCode === ErrorCode.UNSUPPORTED_VERSION) {
    const offered = response.apiKeys.find(k => k.apiKey === ApiVersions.key)
    const version = Math.min(ApiVersions.max, offered?.maxVersion ?? 0)
    response = await connection.request(ApiVersions, version, version >= 3 ? input : {}, { timeoutMs, signal })
  }
  if (response.errorCode !== 0) throw errorFor(response.errorCode, 'the broker refused ApiVersions')
  return new Map(response.apiKeys.map(k => [k.apiKey, { min: k.minVersion, max: k.maxVersion }]))
}
