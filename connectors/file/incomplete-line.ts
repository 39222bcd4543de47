import { appendFile, type FileHandle } from 'node:fs/promises'

const LF = 10
const STEP = 65_536
/** The maximum length, in bytes, of a line that this sink may have written. */
const MOST = 1 << 24

/**
 * Repairs a file whose last line has no line end, because a crash interrupted a write. The line is
 * moved to the file `aside`, because it may be from another program. If the line is from this sink,
 * its record will be written again. Two kinds of lines stay and get a line end: a line too long
 * to be from this sink and, with `json`, a complete document. The file must be open for reading and
 * appending. Returns the number of bytes removed.
 */
export async function repairLastLine(handle: FileHandle, size: number, aside: string, json: boolean): Promise<number> {
  const from = await lineStart(handle, size)
  if (from === size) return 0
  if (from !== null) {
    const line = await readExactly(handle, from, size)
    if (!(json && isDocument(line))) {
      await appendFile(aside, Buffer.concat([line, Buffer.from('\n')]))
      await handle.truncate(from)
      return line.length
    }
  }
  await handle.write('\n')
  return 0
}

/**
 * Returns the position of the last line. Returns `size` if the last line has a line end, and null
 * if the line is too long.
 */
async function lineStart(handle: FileHandle, size: number): Promise<number | null> {
  for (let end = size; end > 0; ) {
    if (size - end > MOST) return null
    const from = Math.max(0, end - STEP)
    const at = (await readExactly(handle, from, end)).lastIndexOf(LF)
    if (at >= 0) return from + at + 1
    end = from
  }
  return 0
}

async function readExactly(handle: FileHandle, from: number, to: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(to - from)
  for (let at = 0; at < buffer.length; ) {
    const { bytesRead } = await handle.read(buffer, at, buffer.length - at, from + at)
    if (bytesRead === 0) throw new Error('it was truncated while its last line was read')
    at += bytesRead
  }
  return buffer
}

/**
 * Whether the line is a complete JSON object or array. Other JSON values are rejected, because a
 * number or a literal could be incomplete.
 */
function isDocument(line: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(line.toString())
    return typeof value === 'object' && value !== null
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}
