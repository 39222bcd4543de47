import { ApiKey, apis } from '../../protocol/api-keys.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import type { ApiVersionsRequest, ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import { METADATA_VERSION } from '../quorum/registration.ts'
import type { Handler } from './handler.ts'

/** The pattern that KIP-511 defines for the names and versions of clients. */
const NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/**
 * Handles ApiVersions requests. Announces the APIs that have a handler. (The dispatcher answers
 * ApiVersions requests of a version that the broker does not support.)
 */
export function apiVersionsHandler(
  keys: () => Iterable<number>,
): Handler<Message<typeof ApiVersionsRequest>, MessageInput<typeof ApiVersionsResponse>> {
  return {
    key: ApiKey.ApiVersions,
    handle({ clientSoftwareName, clientSoftwareVersion }, ctx) {
      if (ctx.apiVersion >= 3 && !(NAME.test(clientSoftwareName) && NAME.test(clientSoftwareVersion)))
        return { errorCode: ErrorCode.INVALID_REQUEST }
      const image = ctx.broker.image()
      return {
        apiKeys: [...keys()]
          .sort((a, b) => a - b)
          .map(key => {
            const api = apis.get(key)!
            // As in Kafka, because librdkafka cannot produce compressed records if Produce v0 is
            // not announced (KAFKA-18659).
            const minVersion = key === ApiKey.Produce ? 0 : api.minVersion
            return { apiKey: key, minVersion, maxVersion: api.maxVersion }
          }),
        supportedFeatures: [
          { name: METADATA_VERSION.name, minVersion: METADATA_VERSION.min, maxVersion: METADATA_VERSION.max },
        ],
        finalizedFeaturesEpoch: image.offset,
        finalizedFeatures: [...image.features].map(([name, level]) => ({
          name,
          maxVersionLevel: level,
          minVersionLevel: level,
        })),
      }
    },
  }
}
