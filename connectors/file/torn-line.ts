import type { FileHandle } from 'node:fs/promises'

const LF = 10
const STEP = 65_536

/** The length of a file up to behind its last end of line: what follows was cut off by a kill in the middle of a write. */
export async function completeLength(handle: FileHandle, size: number, json: boolean): Promise<number> {
  for (let end = size; end > 0; ) {
    const from = Math.max(0, end - STEP)
    const buffer = Buffer.allocUnsafe(end - from)
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, from)
    const at = buffer.subarray(0, bytesRead).lastIndexOf(LF)
    if (at >= 0) return json ? mended(handle, from + at + 1, size) : from + at + 1
    end = from
  }
  return json ? mended(handle, 0, size) : 0
}

/** A last line of JSON that is whole and only lacks its end is kept and ended. */
async function mended(handle: FileHandle, from: number, size: number): Promise<number> {
  if (from === size || size - from > 1 << 24) return from
  const buffer = Buffer.allocUnsafe(size - from)
  await handle.read(buffer, 0, buffer.length, from)
  try {
    const value: unknown = JSON.parse(buffer.toString())
    if (typeof value !== 'object' || value === null) return from
  } catch {
    return from
  }
  await handle.write('\n', size)
  return size + 1
}
