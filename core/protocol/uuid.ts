/** Kafka's Uuid.ZERO_UUID: 16 zero bytes in base64url, without padding. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'
