import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { messageOf } from '../common/errors/error-table.ts'
import { brokerErrors } from './errors.ts'

/** Directories that brokers of this very process hold. */
const heldHere = new Set<string>()

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** When a process started, in the kernel's clock ticks: tells a living owner from a stranger that got its pid. Empty where /proc is not. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

function owner(path: string): { pid: number; start: string } | null {
  try {
    const [pid, start] = readFileSync(path, 'utf8').trim().split(' ')
    return pid && /^\d+$/.test(pid) ? { pid: Number(pid), start: start ?? '' } : null
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/**
 * Takes the directories for this process, by a `.lock` file with the process's id in each (Node has no file locks). A lock whose owner is gone, as
 * after kill -9, is taken over. Returns the release. Throws MR_BROKER_DIR_LOCKED, MR_BROKER_DIR_UNWRITABLE.
 */
export function lockDirs(dirs: readonly string[]): () => void {
  const held: string[] = []
  const release = () => {
    for (const dir of held.splice(0)) {
      heldHere.delete(dir)
      rmSync(join(dir, '.lock'), { force: true })
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
  const path = join(dir, '.lock')
  if (heldHere.has(dir)) throw brokerErrors.create('MR_BROKER_DIR_LOCKED', { dir, pid: process.pid })
  try {
    mkdirSync(dir, { recursive: true })
    const other = owner(path)
    if (other && other.pid !== process.pid && alive(other.pid) && startOf(other.pid) === other.start)
      throw brokerErrors.create('MR_BROKER_DIR_LOCKED', { dir, pid: other.pid })
    const fd = openSync(path, 'w')
    try {
      writeSync(fd, `${process.pid} ${startOf(process.pid)}\n`)
    } finally {
      closeSync(fd)
    }
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && String(cause.code).startsWith('MR_')) throw cause
    throw brokerErrors.create('MR_BROKER_DIR_UNWRITABLE', { dir, cause: messageOf(cause) }, { cause })
  }
  heldHere.add(dir)
}
