const SEED = 0x9747b28c
const M = 0x5bd1e995

/**
 * Returns Kafka's murmur2 hash of a key, as Java's `Utils.murmur2` does. The hash is a signed
 * 32-bit number.
 */
export function murmur2(data: Buffer): number {
  const length = data.length
  let h = SEED ^ length
  const whole = length & ~3
  for (let i = 0; i < whole; i += 4) {
    let k = data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24)
    k = Math.imul(k, M)
    k ^= k >>> 24
    h = Math.imul(h, M) ^ Math.imul(k, M)
  }
  const rest = length - whole
  if (rest === 3) h ^= data[whole + 2]! << 16
  if (rest >= 2) h ^= data[whole + 1]! << 8
  if (rest >= 1) h = Math.imul(h ^ data[whole]!, M)
  h ^= h >>> 13
  h = Math.imul(h, M)
  return h ^ (h >>> 15)
}

/** Returns a number without its sign bit. Java's partitioners use this to make a hash positive. */
export function toPositive(n: number): number {
  return n & 0x7fffffff
}
