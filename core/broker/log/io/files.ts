import { closeSync, openSync, renameSync, rmSync, writeFileSync, writeSync, writevSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { slowOperations } from './slow-operations.ts'

/** Returns whether a file system call failed with this error code, such as `ENOENT`. */
export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

/**
 * Replaces a small file atomically: writes a temporary file in the same directory, then renames it.
 * The new file is not synced, because a synchronous fsync would block all other partitions. Use
 * this only for files that can be rebuilt, such as snapshots.
 */
export function replaceFileSync(file: string, content: string | Buffer): void {
  const temporary = `${file}.tmp`
  try {
    writeFileSync(temporary, content)
    renameSync(temporary, file)
  } catch (error) {
    removeFile(temporary)
    throw error
  }
}

/** Like `replaceFileSync`, but asynchronous. Syncs the temporary file before renaming it. */
export async function replaceFile(file: string, content: string | Buffer): Promise<void> {
  const temporary = `${file}.tmp`
  try {
    const handle = await open(temporary, 'w')
    try {
      await handle.writeFile(content)
      await slowOperations.run(() => handle.datasync())
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    removeFile(temporary)
    throw error
  }
}

/** Makes renames and new files in a directory durable. */
export async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Creates an empty file if it does not exist. */
export function touch(file: string): void {
  closeSync(openSync(file, 'a'))
}

/**
 * Writes a whole buffer at a position. One call of `writeSync` may write only a part of the buffer,
 * for example when the disk becomes full. The next call then throws the error.
 */
export function writeFully(fd: number, bytes: Buffer, position: number): void {
  let done = 0
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, position + done)
}

/** The maximum number of buffers that one writev call accepts (IOV_MAX on Linux). */
export const MAX_VECTORS = 1024

/** Like `writeFully`, for several consecutive buffers. */
export function writevFully(fd: number, buffers: readonly Buffer[], size: number, position: number): void {
  if (buffers.length === 1) {
    writeFully(fd, buffers[0]!, position)
    return
  }
  let rest = buffers
  let done = 0
  while (done < size) {
    const written = writevSync(fd, rest.length > MAX_VECTORS ? rest.slice(0, MAX_VECTORS) : rest, position + done)
    done += written
    if (done < size) rest = dropBytes(rest, written)
  }
}

/** Returns a list of buffers without its first `n` bytes. */
export function dropBytes(buffers: readonly Buffer[], n: number): Buffer[] {
  let i = 0
  let left = n
  while (i < buffers.length && left >= buffers[i]!.length) left -= buffers[i++]!.length
  const rest = buffers.slice(i)
  if (left > 0) rest[0] = rest[0]!.subarray(left)
  return rest
}

/** Removes a file if it exists. */
export function removeFile(file: string): void {
  rmSync(file, { force: true })
}

/** Renames a file if it exists. Returns whether it existed. */
export function renameIfThere(from: string, to: string): boolean {
  try {
    renameSync(from, to)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}
