import { readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const PID_FILE = 'postmaster.pid'

/** The process id in the server's pid file. Null if there is no file or no number in it. */
export function postmasterPid(data: string): number | null {
  try {
    return Number(readFileSync(join(data, PID_FILE), 'utf8').split('\n')[0]) || null
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/** The name and the state of a process in /proc. Null if it has ended, or if there is no /proc. */
function processOf(pid: number | string): { name: string; state: string } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const end = stat.lastIndexOf(')')
    return { name: stat.slice(stat.indexOf('(') + 1, end), state: stat[end + 2]! }
  } catch {
    return null
  }
}

/**
 * Whether this is the working directory of a process. A server and its children work in their data.
 */
function isAnyoneIn(dir: string): boolean {
  const path = realpathSync(dir)
  return readdirSync('/proc').some(pid => {
    if (!/^\d+$/.test(pid) || processOf(pid)?.state === 'Z') return false
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === path
    } catch {
      // the process has ended, or belongs to another user
      return false
    }
  })
}

/**
 * Removes the pid file of a server that has certainly ended: its process is a zombie, or another
 * program has its pid. Postgres would take both for a running server and would not start. Returns
 * whether it removed the file.
 */
export function removeStalePidFile(data: string): boolean {
  const pid = postmasterPid(data)
  const running = pid === null ? null : processOf(pid)
  // Postgres itself detects a pid file whose process does not exist
  if (running === null || (running.name === 'postgres' && running.state !== 'Z') || isAnyoneIn(data)) return false
  rmSync(join(data, PID_FILE), { force: true })
  return true
}
