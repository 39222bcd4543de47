import { array, int16, message, string } from '../schema/declare.ts'

/** SaslHandshake chooses a SASL mechanism (KIP-43, KIP-152). */
export const SaslHandshakeRequest = message({
  name: 'SaslHandshakeRequest',
  type: 'request',
  apiKey: 17,
  versions: '0-1',
  flexible: 'none',
  fields: {
    mechanism: string('0+'),
  },
})

export const SaslHandshakeResponse = message({
  name: 'SaslHandshakeResponse',
  type: 'response',
  apiKey: 17,
  versions: '0-1',
  flexible: 'none',
  fields: {
    errorCode: int16('0+'),
    mechanisms: array('0+', 'string'),
  },
})
