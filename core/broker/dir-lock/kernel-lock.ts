import { readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { kernelFile } from './owner.ts'

/**
 * Returns the pid of the process that has an OS lock on the file, as an Apache broker has. Returns
 * null if there is no such process, or if the system has no /proc.
 */
export function lockedByKernel(path: string): number | null {
  const { ino } = statSync(path)
  const lines = kernelFile('/proc/locks')?.split('\n') ?? []
  for (const line of lines.filter(l => l.includes(`:${ino} `))) {
    const pid = Number(line.trim().split(/\s+/)[4])
    // A file on another device may have the same inode number, so check that the process has this
    // file open.
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
    // The process has exited, or it belongs to another user.
    return false
  }
  return open.some(fd => {
    try {
      return readlinkSync(join(links, fd)) === path
    } catch {
      // The descriptor was closed in the meantime.
      return false
    }
  })
}
