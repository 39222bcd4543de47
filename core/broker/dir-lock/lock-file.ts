import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { isErrno } from '../log/io/files.ts'

/** Returns the text of a lock file, or null if the file does not exist. */
export function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null
    throw error
  }
}

/**
 * Returns the time of the last renewal of a lock, in milliseconds. Returns null if the file does
 * not exist.
 */
export function renewedAt(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null
}

/** Gives a file an additional name, atomically. Returns false if a file with that name exists. */
export function claim(file: string, name: string): boolean {
  try {
    linkSync(file, name)
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    if (!['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'].some(code => isErrno(error, code))) throw error
  }
  // Copy the file, because the file system does not support hard links.
  try {
    writeFileSync(name, readFileSync(file), { flag: 'wx' })
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  }
}

/**
 * The maximum age of a guard file. A process needs its guard only briefly, so an older guard
 * remains from a process that crashed.
 */
const GUARD_MS = 10_000

/**
 * Replaces a stale lock with the file `mine`. Only one process at a time can replace a lock,
 * because it must first create a guard file whose name contains the text of the stale lock. Returns
 * whether the lock was replaced. If not, the caller must read the lock again, because another
 * process may have replaced it.
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
