import { array, bytes, message, string } from '../../schema/declare.ts'

/**
 * The assignment that the leader of a consumer group sends to each member. An int16 version
 * precedes the message.
 */
export const ConsumerProtocolAssignment = message({
  name: 'ConsumerProtocolAssignment',
  type: 'data',
  versions: '0-3',
  flexible: 'none',
  fields: {
    assignedPartitions: array('0+', {
      topic: string('0+'),
      partitions: array('0+', 'int32'),
    }),
    userData: bytes('0+', { default: null, nullable: '0+' }),
  },
})
