import { int16, int32, message } from '../../schema/declare.ts'

/**
 * The key and the value of a control record that ends a transaction (KIP-98). The type in the key
 * is commit or abort. The value contains the epoch of the transaction coordinator.
 */
export const ControlRecordTypeSchema = message({
  name: 'ControlRecordTypeSchema',
  type: 'data',
  versions: '0',
  flexible: 'none',
  fields: {
    type: int16('0+'),
  },
})

export const EndTxnMarker = message({
  name: 'EndTxnMarker',
  type: 'data',
  versions: '0',
  flexible: 'none',
  fields: {
    coordinatorEpoch: int32('0+'),
  },
})
