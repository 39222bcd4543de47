import { readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { kernelFile } from './owner.ts'

/**
 * Returns the process that holds an OS lock on the file, as Apache's broker does. Returns null if
 * there is no such process, or without /proc.
 */
export function lockedByKernel(path: string): number | null {
  const { ino } = statSync(path)
  const lines = kernelFile('/proc/locks')?.split('\n') ?? []
  for (const line of lines.filter(l => l.includes(`:${ino} `))) {
    const pid = Number(line.trim().split(/\s+/)[4])
    // Another device may have a file with the same inode number.
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
    // The process has exited, or belongs to another user.
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
