import { appendFile, type FileHandle } from 'node:fs/promises'

const LF = 10
const STEP = 65_536
/** The longest last line that is taken for one of ours, bytes. */
const MOST = 1 << 24

/**
 * Gives a file whose last line has no end one that has: it was cut off by a kill in the middle of a write, and its record comes again.
 * Since somebody else may have left it so, what is removed is kept in `aside`. A line that is too long to be ours, or, with `json`, a
 * whole document, gets its end and stays. The file must be open for reading and appending. Returns the bytes removed.
 */
export async function mendLastLine(handle: FileHandle, size: number, aside: string, json: boolean): Promise<number> {
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

/** Where the last line begins: at `size` when it has its end; null when it is too long. */
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
    if (bytesRead === 0) throw new Error('it was cut short while its end was looked for')
    at += bytesRead
  }
  return buffer
}

/** Whether it is an object or an array of JSON, whole: a number or a word may have gone on. */
function isDocument(line: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(line.toString())
    return typeof value === 'object' && value !== null
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}
