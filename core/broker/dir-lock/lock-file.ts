import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { isErrno } from '../log/io/files.ts'

/** Returns the text of a lock, or null if the file does not exist. */
export function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null
    throw error
  }
}

/** Returns when a lock was last renewed, in milliseconds, or null if the file does not exist. */
export function renewedAt(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null
}

/** Creates a complete file under a new name atomically. Returns false if the name exists. */
export function claim(file: string, name: string): boolean {
  try {
    linkSync(file, name)
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    if (!['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'].some(code => isErrno(error, code))) throw error
  }
  // The file system does not support hard links.
  try {
    writeFileSync(name, readFileSync(file), { flag: 'wx' })
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  }
}

/** A guard is held only briefly. An older guard was left by a crash. */
const GUARD_MS = 10_000

/**
 * Replaces the lock of a dead owner with ours. A guard file named after that owner ensures that no
 * process removes the lock of a faster one. Returns whether we now hold the lock. If not, check
 * again.
 */
export function takeOver(path: string, stale: string, mine: string): boolean {
  const guard = `${path}.after-${stale.replace(/[^\w-]+/g, '_').slice(0, 150)}`
  if (!claim(mine, guard)) {
    const since = renewedAt(guard)
    if (since !== null && Math.abs(Date.now() - since) > GUARD_MS) rmSync(guard, { force: true })
    return false
  }
  try {
    if (textOf(path) !== stale) return false
    renameSync(mine, path)
    return true
  } finally {
    rmSync(guard, { force: true })
  }
}
