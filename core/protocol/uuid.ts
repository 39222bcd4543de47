/** Kafka's Uuid.ZERO_UUID in its text form: 16 zero bytes, base64url, no padding. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'
