import { array, int16, int32, message, string, uuid } from '../schema/declare.ts'

/**
 * DeleteTopics deletes topics (KIP-4). Since version 6, a request can identify topics by id
 * (KIP-516).
 */
export const DeleteTopicsRequest = message({
  name: 'DeleteTopicsRequest',
  type: 'request',
  apiKey: 20,
  versions: '1-6',
  flexible: '4+',
  fields: {
    topics: array('6+', {
      name: string('6+', { default: null, nullable: '6+' }),
      topicId: uuid('6+'),
    }),
    topicNames: array('0-5', 'string', { ignorable: true }),
    timeoutMs: int32('0+'),
  },
})

export const DeleteTopicsResponse = message({
  name: 'DeleteTopicsResponse',
  type: 'response',
  apiKey: 20,
  versions: '1-6',
  flexible: '4+',
  fields: {
    throttleTimeMs: int32('1+', { ignorable: true }),
    responses: array('0+', {
      name: string('0+', { nullable: '6+' }),
      topicId: uuid('6+', { ignorable: true }),
      errorCode: int16('0+'),
      errorMessage: string('5+', { default: null, nullable: '5+', ignorable: true }),
    }),
  },
})
