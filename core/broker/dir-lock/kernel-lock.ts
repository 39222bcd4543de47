import { readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { kernelFile } from './owner.ts'

/**
 * A process that holds an OS lock on the file, as Apache's broker does; null if none does, or
 * without /proc.
 */
export function lockedByKernel(path: string): number | null {
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
    // the process has ended, or belongs to another user
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
