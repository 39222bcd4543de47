/** A copy of bytes that outlive the request or batch they came in, so that they do not hold all of it in memory. */
export function own(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(copy)
  return copy
}
