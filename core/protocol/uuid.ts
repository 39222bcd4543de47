/** Kafka's Uuid.ZERO_UUID as text: 16 zero bytes in base64url without padding. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'
