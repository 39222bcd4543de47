import { array, int8, int16, int32, message, string } from '../schema/declare.ts'

/**
 * ListConfigResources returns the resources that have configs (KIP-1142). Its name was
 * ListClientMetricsResources before.
 */
export const ListConfigResourcesRequest = message({
  name: 'ListConfigResourcesRequest',
  type: 'request',
  apiKey: 74,
  versions: '0-1',
  flexible: '0+',
  fields: {
    resourceTypes: array('1+', 'int8'),
  },
})

export const ListConfigResourcesResponse = message({
  name: 'ListConfigResourcesResponse',
  type: 'response',
  apiKey: 74,
  versions: '0-1',
  flexible: '0+',
  fields: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    configResources: array('0+', {
      resourceName: string('0+'),
      resourceType: int8('1+', { default: 16, ignorable: true }),
    }),
  },
})
