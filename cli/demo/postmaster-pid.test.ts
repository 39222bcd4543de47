import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { removeStalePidFile } from './postmaster-pid.ts'

let data: string
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'postmaster-'))
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

const file = () => join(data, 'postmaster.pid')
const named = (pid: number) => writeFileSync(file(), `${pid}\n${data}\n1700000000\n5432\n\n127.0.0.1\n`)

test.skipIf(!existsSync('/proc/self/stat'))(
  'only the pid file of a zombie or of an unrelated program is removed',
  async () => {
    expect(removeStalePidFile(data)).toBe(false)
    // `exec` replaces the shell by `sleep`, which never waits for the child. So the child stays a
    // zombie.
    const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 600'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const zombie = Number(String((await once(parent.stdout, 'data'))[0]))
    await vi.waitFor(() => expect(readFileSync(`/proc/${zombie}/stat`, 'latin1')).toContain(') Z '))
    for (const pid of [zombie, process.pid]) {
      named(pid)
      expect(removeStalePidFile(data)).toBe(true)
      expect(existsSync(file())).toBe(false)
    }
    parent.kill()
    // No process has this pid. Postgres itself ignores such a pid file.
    named(5_000_000)
    expect(removeStalePidFile(data)).toBe(false)
    // A child of the server is still running.
    const child = spawn('sleep', ['600'], { cwd: data })
    await once(child, 'spawn')
    named(process.pid)
    expect(removeStalePidFile(data)).toBe(false)
    child.kill()
  },
)
