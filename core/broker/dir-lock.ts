import {
  linkSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { messageOf } from '../common/errors/error-table.ts'
import { makeDirs } from '../common/make-dirs.ts'
import { brokerErrors } from './errors.ts'
import { isErrno } from './log/files.ts'

const LOCK = '.lock'
/** Others that come and go while we try. */
const TRIES = 100

/** Directories that brokers of this very process hold. */
const heldHere = new Set<string>()
let taken = 0

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return isErrno(error, 'EPERM')
  }
}

/** Null where /proc is not. */
function kernelFile(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return null
  }
}

/**
 * When a process started: the boot, and the clock ticks since. Tells a living owner from a stranger that got its pid, also after the machine was
 * started anew. Empty where /proc is not.
 */
function startOf(pid: number): string {
  const stat = kernelFile(`/proc/${pid}/stat`)
  if (stat === null) return ''
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  return `${ticks}-${kernelFile('/proc/sys/kernel/random/boot_id')?.slice(0, 8) ?? ''}`
}

/** The process that holds what a lock's text says; null when none does. A text that says nothing is left by a crash, or by an Apache broker. */
function holderOf(text: string): number | null {
  const [, digits, start] = /^(\d+) ?(\S*)\s*$/.exec(text) ?? []
  if (digits === undefined) return null
  const pid = Number(digits)
  // without /proc nothing tells an earlier process of our pid from us; what we hold ourselves is in `heldHere`
  if (!alive(pid) || (pid === process.pid && start === '')) return null
  return startOf(pid) === start ? pid : null
}

/** A process that holds a lock of the operating system on the file, as Apache's broker does; null when none does, or where /proc is not. */
function lockedByKernel(path: string): number | null {
  const { ino } = statSync(path)
  const lines = kernelFile('/proc/locks')?.split('\n') ?? []
  for (const line of lines.filter(l => l.includes(`:${ino} `))) {
    const pid = Number(line.trim().split(/\s+/)[4])
    // the same number may be another file's on another device
    if (pid > 0 && hasOpen(pid, realpathSync(path))) return pid
  }
  return null
}

function hasOpen(pid: number, path: string): boolean {
  const links = `/proc/${pid}/fd`
  let open: string[] = []
  try {
    open = readdirSync(links)
  } catch {
    // it ended, or is somebody else's
    return false
  }
  return open.some(fd => {
    try {
      return readlinkSync(join(links, fd)) === path
    } catch {
      // closed meanwhile
      return false
    }
  })
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null
    throw error
  }
}

/** Puts a file under a name that nobody has, whole at once; false when somebody has it. */
function claim(file: string, name: string): boolean {
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

/**
 * Takes the directories for this process, by a `.lock` file with the process's id and start in each (Node has no locks of the operating system). A
 * lock whose owner is gone, as after kill -9, is taken over. Of two that come at once one gets it. Returns the release. Throws
 * MR_BROKER_DIR_LOCKED, MR_BROKER_DIR_UNWRITABLE.
 */
export function lockDirs(dirs: readonly string[]): () => void {
  const held: string[] = []
  const release = () => {
    for (const dir of held.splice(0)) {
      heldHere.delete(dir)
      rmSync(join(dir, LOCK), { force: true })
    }
  }
  try {
    for (const given of new Set(dirs)) {
      const dir = resolve(given)
      take(dir)
      held.push(dir)
    }
  } catch (error) {
    release()
    throw error
  }
  return release
}

function take(dir: string): void {
  if (heldHere.has(dir)) throw brokerErrors.create('MR_BROKER_DIR_LOCKED', { dir, pid: process.pid })
  const mine = join(dir, `${LOCK}.${process.pid}-${taken++}`)
  let holder: number | null
  try {
    makeDirs(dir)
    writeFileSync(mine, `${process.pid} ${startOf(process.pid)}\n`)
    holder = takeOrHolder(dir, mine)
  } catch (cause) {
    throw brokerErrors.create('MR_BROKER_DIR_UNWRITABLE', { dir, cause: messageOf(cause) }, { cause })
  } finally {
    removeQuietly(mine)
  }
  if (holder !== null) throw brokerErrors.create('MR_BROKER_DIR_LOCKED', { dir, pid: holder })
  heldHere.add(dir)
}

/** Null: the lock is ours now. Otherwise who has it. */
function takeOrHolder(dir: string, mine: string): number | null {
  const path = join(dir, LOCK)
  for (let left = TRIES; left > 0; left--) {
    if (claim(mine, path)) return null
    const text = textOf(path)
    if (text === null) continue
    const holder = holderOf(text) ?? lockedByKernel(path)
    if (holder !== null) return holder
    const other = takeOver(path, text, mine)
    if (other === 'ours') return null
    if (other !== null) return other
  }
  throw new Error(`${path} comes and goes`)
}

/**
 * Puts our lock in the place of one whose owner is gone. Who wants to, must first get a name that belongs to that dead owner alone, so that nobody
 * takes away the lock of one who was quicker. Null: look again.
 */
function takeOver(path: string, stale: string, mine: string): 'ours' | number | null {
  const guard = `${path}.after-${stale.replace(/[^\w-]+/g, '_').slice(0, 60)}`
  if (!claim(mine, guard)) {
    const text = textOf(guard)
    const holder = text === null ? null : holderOf(text)
    if (holder !== null) return holder
    // it died in the middle of this
    rmSync(guard, { force: true })
    return null
  }
  try {
    if (textOf(path) !== stale) return null
    renameSync(mine, path)
    return 'ours'
  } finally {
    rmSync(guard, { force: true })
  }
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true })
  } catch {
    // what could not be written cannot be removed either; the error is on its way already
  }
}
