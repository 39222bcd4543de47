import { int16, int32, message } from '../../schema/declare.ts'

/**
 * The content of the control records that end transactions. The key contains commit or abort, and
 * the value the epoch of the coordinator (KIP-98).
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
