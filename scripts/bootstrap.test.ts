import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'

const dirs: string[] = []
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
})

function script(file: string, text: string): void {
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, `#!/bin/sh\n${text}\n`)
  chmodSync(file, 0o755)
}

/**
 * Creates a clone without packages, and a fake npm that installs a fake `node`. Both programs log
 * what they do.
 */
function clone(): { dir: string; log: string; run(): Promise<{ code: number | null; text: string }> } {
  const dir = join(mkdtempSync(join(tmpdir(), 'millrace-bootstrap-')), 'a clone')
  dirs.push(join(dir, '..'))
  const log = join(dir, 'log')
  mkdirSync(join(dir, 'scripts'), { recursive: true })
  cpSync(join(import.meta.dirname, 'bootstrap.mjs'), join(dir, 'scripts/bootstrap.mjs'))
  writeFileSync(join(dir, 'package-lock.json'), '{}')
  script(join(dir, 'fake-node'), 'echo build >> log; sleep 0.2; echo built >> log')
  const install = 'mkdir -p node_modules/node/bin; cp fake-node node_modules/node/bin/node'
  script(join(dir, 'bin/npm'), `echo install >> log; ${install}; sleep 0.2; echo installed >> log`)
  return {
    dir,
    log,
    run() {
      const env = { ...process.env, PATH: `${join(dir, 'bin')}:${process.env['PATH']}` }
      const child = spawn(process.execPath, [join(dir, 'scripts/bootstrap.mjs'), 'build'], { env })
      let text = ''
      child.stderr.on('data', chunk => (text += chunk))
      return new Promise(resolve => child.once('close', code => resolve({ code, text })))
    },
  }
}

const words = (log: string) => readFileSync(log, 'utf8').trim().split('\n')

test('of two processes at the same time, the second waits for the first, and only one installs', async () => {
  const { log, run } = clone()
  const both = await Promise.all([run(), run()])
  expect(both.map(r => r.code)).toEqual([0, 0])
  expect(words(log)).toEqual(['install', 'installed', 'build', 'built', 'build', 'built'])
})

/** Starts a process that becomes a zombie: it ends, and its parent never waits for it. */
async function defunct(): Promise<{ pid: number; parent: ChildProcess }> {
  // `exec sleep` replaces the shell, so its child remains, and sleep never waits for a child.
  const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 600'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const pid = Number(String((await once(parent.stdout, 'data'))[0]))
  await vi.waitFor(() => expect(readFileSync(`/proc/${pid}/stat`, 'latin1')).toContain(') Z '))
  return { pid, parent }
}

test.skipIf(!existsSync('/proc/self/stat'))('a lock whose owner has ended is ignored', async () => {
  const zombie = await defunct()
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  const place = `${boot}/${readlinkSync('/proc/self/ns/pid')}`
  const locks = [
    '5000000', // above any pid_max
    String(zombie.pid),
    'garbage',
    JSON.stringify({ pid: zombie.pid, start: '', place, host: 'here' }),
    // The start time shows that another process has reused the pid.
    JSON.stringify({ pid: process.pid, start: '1', place, host: 'here' }),
  ]
  for (const lock of locks) {
    const { dir, log, run } = clone()
    mkdirSync(join(dir, '.cache'))
    writeFileSync(join(dir, '.cache/setup.lock'), lock)
    expect((await run()).code).toBe(0)
    expect(words(log)).toEqual(['install', 'installed', 'build', 'built'])
    expect(existsSync(join(dir, '.cache/setup.lock'))).toBe(false)
  }
  zombie.parent.kill()
})

test('a lock of a process in another container or on another host is respected and reported', async () => {
  const { dir, log, run } = clone()
  mkdirSync(join(dir, '.cache'))
  const lock = join(dir, '.cache/setup.lock')
  writeFileSync(lock, JSON.stringify({ pid: 7, start: '1', place: 'elsewhere', host: 'builder' }))
  const running = run()
  setTimeout(() => rmSync(lock), 1000)
  const { code, text } = await running
  expect(code).toBe(0)
  expect(text).toContain(
    `waiting for process 7 on builder, which installs or builds in this folder. If it has ended, delete ${lock}.`,
  )
  expect(words(log)).toContain('built')
})

test('an incomplete installation is deleted before the next installation', async () => {
  const { dir, log, run } = clone()
  mkdirSync(join(dir, 'node_modules/half'), { recursive: true })
  expect((await run()).code).toBe(0)
  expect(existsSync(join(dir, 'node_modules/half'))).toBe(false)
  expect(words(log)).toEqual(['install', 'installed', 'build', 'built'])
})

test('a failure of npm is reported in one line, and the next run installs again', async () => {
  const { dir, log, run } = clone()
  const npm = readFileSync(join(dir, 'bin/npm'))
  script(join(dir, 'bin/npm'), 'mkdir node_modules; exit 7')
  const failed = await run()
  expect(failed.code).toBe(1)
  expect(failed.text).toMatch(/installing packages .* failed \(exit 7\)\. The reason is in the lines above/)
  writeFileSync(join(dir, 'bin/npm'), npm)
  expect((await run()).code).toBe(0)
  expect(words(log)).toEqual(['install', 'installed', 'build', 'built'])
})
