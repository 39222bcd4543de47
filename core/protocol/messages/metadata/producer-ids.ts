import { int32, int64, message } from '../../schema/declare.ts'

/** The KRaft metadata record that allocates a block of producer ids (KIP-730). */
export const ProducerIdsRecord = message({
  name: 'ProducerIdsRecord',
  type: 'data',
  apiKey: 15,
  versions: '0',
  flexible: '0+',
  fields: {
    brokerId: int32('0+'),
    brokerEpoch: int64('0+', { default: -1 }),
    nextProducerId: int64('0+'),
  },
})
