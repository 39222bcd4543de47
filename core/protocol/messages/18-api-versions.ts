import { array, bool, int16, int32, int64, message, string } from '../schema/declare.ts'

/**
 * ApiVersions returns the APIs, versions and features that a broker supports (KIP-35, KIP-511,
 * KIP-584).
 */
export const ApiVersionsRequest = message({
  name: 'ApiVersionsRequest',
  type: 'request',
  apiKey: 18,
  versions: '0-4',
  flexible: '3+',
  fields: {
    clientSoftwareName: string('3+', { ignorable: true }),
    clientSoftwareVersion: string('3+', { ignorable: true }),
  },
})

export const ApiVersionsResponse = message({
  name: 'ApiVersionsResponse',
  type: 'response',
  apiKey: 18,
  versions: '0-4',
  flexible: '3+',
  fields: {
    errorCode: int16('0+'),
    apiKeys: array('0+', {
      apiKey: int16('0+'),
      minVersion: int16('0+'),
      maxVersion: int16('0+'),
    }),
    throttleTimeMs: int32('1+', { ignorable: true }),
    supportedFeatures: array(
      '3+',
      {
        name: string('3+'),
        minVersion: int16('3+'),
        maxVersion: int16('3+'),
      },
      { tag: 0, tagged: '3+', ignorable: true },
    ),
    finalizedFeaturesEpoch: int64('3+', { default: -1, tag: 1, tagged: '3+', ignorable: true }),
    finalizedFeatures: array(
      '3+',
      {
        name: string('3+'),
        maxVersionLevel: int16('3+'),
        minVersionLevel: int16('3+'),
      },
      { tag: 2, tagged: '3+', ignorable: true },
    ),
    zkMigrationReady: bool('3+', { tag: 3, tagged: '3+', ignorable: true }),
  },
})
