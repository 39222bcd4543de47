import { array, bytes, int32, message, string } from '../../schema/declare.ts'

/**
 * The metadata that a consumer sends when it joins its group: topics, owned partitions (KIP-429),
 * generation (KIP-792) and rack (KIP-881). An int16 version precedes the message.
 */
export const ConsumerProtocolSubscription = message({
  name: 'ConsumerProtocolSubscription',
  type: 'data',
  versions: '0-3',
  flexible: 'none',
  fields: {
    topics: array('0+', 'string'),
    userData: bytes('0+', { default: null, nullable: '0+' }),
    ownedPartitions: array(
      '1+',
      {
        topic: string('1+'),
        partitions: array('1+', 'int32'),
      },
      { ignorable: true },
    ),
    generationId: int32('2+', { default: -1, ignorable: true }),
    rackId: string('3+', { default: null, nullable: '3+', ignorable: true }),
  },
})
