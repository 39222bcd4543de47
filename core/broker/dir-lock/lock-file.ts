import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { isErrno } from '../log/files.ts'

/** A lock's text; null where there is no file. */
export function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null
    throw error
  }
}

/** When a lock was renewed last, in milliseconds; null where there is no file. */
export function renewedAt(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null
}

/** Puts a file under a name that nobody has, whole at once; false when somebody has it. */
export function claim(file: string, name: string): boolean {
  try {
    linkSync(file, name)
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    if (!['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'].some(code => isErrno(error, code))) throw error
  }
  // a file system without links
  try {
    writeFileSync(name, readFileSync(file), { flag: 'wx' })
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  }
}

/** A guard is held for a moment only; one that is older was left by a crash. */
const GUARD_MS = 10_000

/**
 * Puts our lock in the place of one whose owner is gone. Whoever wants to must first get a name that belongs to that dead
 * owner alone, so that nobody takes away the lock of one who was quicker. Returns whether the lock is ours now; if not,
 * look again.
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
