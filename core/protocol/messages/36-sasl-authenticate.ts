import { bytes, int16, int64, message, string } from '../schema/declare.ts'

/** SaslAuthenticate transfers the bytes of a SASL exchange (KIP-152, KIP-368). */
export const SaslAuthenticateRequest = message({
  name: 'SaslAuthenticateRequest',
  type: 'request',
  apiKey: 36,
  versions: '0-2',
  flexible: '2+',
  fields: {
    authBytes: bytes('0+'),
  },
})

export const SaslAuthenticateResponse = message({
  name: 'SaslAuthenticateResponse',
  type: 'response',
  apiKey: 36,
  versions: '0-2',
  flexible: '2+',
  fields: {
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    authBytes: bytes('0+'),
    sessionLifetimeMs: int64('1+', { ignorable: true }),
  },
})
