import { array, bool, int8, int16, int32, message, string } from '../schema/declare.ts'

/** AlterConfigs replaces all dynamic settings of a resource (KIP-133). */
export const AlterConfigsRequest = message({
  name: 'AlterConfigsRequest',
  type: 'request',
  apiKey: 33,
  versions: '0-2',
  flexible: '2+',
  fields: {
    resources: array('0+', {
      resourceType: int8('0+'),
      resourceName: string('0+'),
      configs: array('0+', {
        name: string('0+'),
        value: string('0+', { nullable: '0+' }),
      }),
    }),
    validateOnly: bool('0+'),
  },
})

export const AlterConfigsResponse = message({
  name: 'AlterConfigsResponse',
  type: 'response',
  apiKey: 33,
  versions: '0-2',
  flexible: '2+',
  fields: {
    throttleTimeMs: int32('0+'),
    responses: array('0+', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
      resourceType: int8('0+'),
      resourceName: string('0+'),
    }),
  },
})
