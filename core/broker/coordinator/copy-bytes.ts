/**
 * Copies bytes that are kept longer than their request or batch. Otherwise they would keep the
 * whole buffer in memory.
 */
export function copyBytes(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(copy)
  return copy
}
