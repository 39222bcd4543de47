/**
 * Returns a copy of bytes that are kept longer than their request or batch. Without a copy they
 * would keep the whole buffer of the request or batch in memory.
 */
export function copyBytes(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(copy)
  return copy
}
