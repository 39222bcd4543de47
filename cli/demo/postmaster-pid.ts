import { readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const PID_FILE = 'postmaster.pid'

/** The process that the server's pid file names; null if the file is absent or names none. */
export function postmasterPid(data: string): number | null {
  try {
    return Number(readFileSync(join(data, PID_FILE), 'utf8').split('\n')[0]) || null
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/**
 * The name and the state of a process, as /proc has them; null where it is gone, or there is no
 * /proc.
 */
function processOf(pid: number | string): { name: string; state: string } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const end = stat.lastIndexOf(')')
    return { name: stat.slice(stat.indexOf('(') + 1, end), state: stat[end + 2]! }
  } catch {
    return null
  }
}

/** Whether a process works in a directory. The server and all its children work in their data. */
function isAnyoneIn(dir: string): boolean {
  const path = realpathSync(dir)
  return readdirSync('/proc').some(pid => {
    if (!/^\d+$/.test(pid) || processOf(pid)?.state === 'Z') return false
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === path
    } catch {
      // it ended, or is somebody else's
      return false
    }
  })
}

/**
 * Removes the pid file of a server that is certainly gone: its process is a zombie, or another
 * program has its pid now. Postgres itself takes both for a running server and does not start.
 * Returns whether it did.
 */
export function removeStalePidFile(data: string): boolean {
  const pid = postmasterPid(data)
  const running = pid === null ? null : processOf(pid)
  // what is not running at all Postgres finds out by itself
  if (running === null || (running.name === 'postgres' && running.state !== 'Z') || isAnyoneIn(data)) return false
  rmSync(join(data, PID_FILE), { force: true })
  return true
}
