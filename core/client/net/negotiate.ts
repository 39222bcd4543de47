import { ErrorCode, errorFor } from '../../protocol/error-codes.ts'
import { ApiVersionsRequest, ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts'
import { type BrokerVersions, defineApi } from './api.ts'
import type { Connection } from './connection.ts'

const ApiVersions = defineApi(ApiVersionsRequest, ApiVersionsResponse)

/** Asks a broker which versions it offers: first in our newest ApiVersions, then, if it refuses that, in one that it has. */
export async function negotiateVersions(
  connection: Connection,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<BrokerVersions> {
  const input = { clientSoftwareName: 'millrace', clientSoftwareVersion: '0.1.0' }
  let response = await connection.request(ApiVersions, ApiVersions.max, input, { timeoutMs, signal })
  if (response.errorCode === ErrorCode.UNSUPPORTED_VERSION) {
    const offered = response.apiKeys.find(k => k.apiKey === ApiVersions.key)
    const version = Math.min(ApiVersions.max, offered?.maxVersion ?? 0)
    response = await connection.request(ApiVersions, version, version >= 3 ? input : {}, { timeoutMs, signal })
  }
  if (response.errorCode !== 0) throw errorFor(response.errorCode, 'the broker refused ApiVersions')
  return new Map(response.apiKeys.map(k => [k.apiKey, { min: k.minVersion, max: k.maxVersion }]))
}
