import { readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const PID_FILE = 'postmaster.pid'

/**
 * Returns the process id in the server's pid file. Returns null if there is no file, or no number
 * in the file.
 */
export function postmasterPid(data: string): number | null {
  try {
    return Number(readFileSync(join(data, PID_FILE), 'utf8').split('\n')[0]) || null
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/**
 * Returns the name and the state of a process from /proc. Returns null if the process has ended, or
 * if /proc does not exist.
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

/**
 * Whether any process has this working directory. The working directory of a server and its
 * children is the data directory.
 */
function isAnyoneIn(dir: string): boolean {
  const path = realpathSync(dir)
  return readdirSync('/proc').some(pid => {
    if (!/^\d+$/.test(pid) || processOf(pid)?.state === 'Z') return false
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === path
    } catch {
      // The process has ended, or belongs to another user.
      return false
    }
  })
}

/**
 * Removes the pid file of a server that has certainly ended: its process is a zombie, or another
 * program has its pid. In both cases Postgres would assume that the server is running, and would
 * not start. Returns whether the file was removed.
 */
export function removeStalePidFile(data: string): boolean {
  const pid = postmasterPid(data)
  const running = pid === null ? null : processOf(pid)
  // Postgres itself detects a pid file whose process does not exist.
  if (running === null || (running.name === 'postgres' && running.state !== 'Z') || isAnyoneIn(data)) return false
  rmSync(join(data, PID_FILE), { force: true })
  return true
}
