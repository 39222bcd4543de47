import { array, bool, int16, int32, message, string } from '../schema/declare.ts'

/** CreatePartitions adds partitions to topics (KIP-195). */
export const CreatePartitionsRequest = message({
  name: 'CreatePartitionsRequest',
  type: 'request',
  apiKey: 37,
  versions: '0-3',
  flexible: '2+',
  fields: {
    topics: array('0+', {
      name: string('0+'),
      count: int32('0+'),
      assignments: array(
        '0+',
        {
          brokerIds: array('0+', 'int32'),
        },
        { nullable: '0+' },
      ),
    }),
    timeoutMs: int32('0+'),
    validateOnly: bool('0+'),
  },
})

export const CreatePartitionsResponse = message({
  name: 'CreatePartitionsResponse',
  type: 'response',
  apiKey: 37,
  versions: '0-3',
  flexible: '2+',
  fields: {
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      name: string('0+'),
      errorCode: int16('0+'),
      errorMessage: string('0+', { default: null, nullable: '0+' }),
    }),
  },
})
