import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockDirs } from './dir-lock.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dir-lock-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const lock = () => readFileSync(join(dir, '.lock'), 'utf8')
/** What a process with our pid would have written, if it had started at another time. */
const ofAnEarlierProcess = () => `${process.pid} 1-00000000\n`
const hasProc = existsSync('/proc/self/stat')

test('a directory is taken once, and is free again after its release', () => {
  const release = lockDirs([dir])
  expect(() => lockDirs([dir])).toThrow(/in use by another broker, process/)
  expect(lock()).toMatch(new RegExp(`^${process.pid} `))
  release()
  expect(readdirSync(dir)).toEqual([])
  lockDirs([dir])()
})

test.skipIf(!hasProc)('a lock whose pid belongs to another process now is taken over', () => {
  for (const stale of [ofAnEarlierProcess(), '1 1-00000000\n', '999999999 1\n', '', 'garbage']) {
    writeFileSync(join(dir, '.lock'), stale)
    const release = lockDirs([dir])
    expect(lock()).toMatch(new RegExp(`^${process.pid} `))
    expect(readdirSync(dir)).toEqual(['.lock'])
    release()
  }
})

test('who died while taking a lock over is in nobody’s way', () => {
  writeFileSync(join(dir, '.lock'), '999999999 1\n')
  writeFileSync(join(dir, '.lock.after-999999999_1_'), '999999998 1\n')
  lockDirs([dir])()
  expect(existsSync(join(dir, '.lock'))).toBe(false)
})

test('all directories or none are taken', () => {
  const other = mkdtempSync(join(tmpdir(), 'dir-lock-'))
  const release = lockDirs([other])
  expect(() => lockDirs([dir, other])).toThrow(/in use/)
  expect(existsSync(join(dir, '.lock'))).toBe(false)
  release()
  rmSync(other, { recursive: true })
})

test.skipIf(!hasProc)('a directory that cannot be made is one clear error', () => {
  expect(() => lockDirs(['/proc/millrace/logs'])).toThrow(
    /Cannot write to the log directory \/proc\/millrace\/logs: ENOENT/,
  )
})

const CONTENDER = `
  import { lockDirs } from ${JSON.stringify(join(import.meta.dirname, 'dir-lock.ts'))}
  process.stdout.write('ready')
  process.stdin.once('data', () => {
    try { lockDirs([process.argv[1]]); process.stdout.write('+') } catch (error) { process.stdout.write(error.code) }
    process.stdin.once('end', () => process.exit()) 
  })`

test('of several processes that come at once exactly one gets the lock, also a stale one', {
  timeout: 60_000,
}, async () => {
  for (const before of [null, '999999999 1\n']) {
    if (before !== null) writeFileSync(join(dir, '.lock'), before)
    const all = Array.from({ length: 6 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', CONTENDER, dir], { stdio: ['pipe', 'pipe', 'inherit'] }),
    )
    await Promise.all(all.map(c => once(c.stdout, 'data')))
    const answers = Promise.all(all.map(async c => String((await once(c.stdout, 'data'))[0])))
    for (const c of all) c.stdin.write('go')
    expect((await answers).sort()).toEqual(['+', ...Array(5).fill('MR_BROKER_DIR_LOCKED')])
    const ends = Promise.all(all.map(c => once(c, 'exit')))
    for (const c of all) c.stdin.end()
    await ends
    expect(readdirSync(dir)).toEqual(['.lock'])
    rmSync(join(dir, '.lock'))
  }
})

const python = spawnSync('python3', ['--version']).status === 0
test.skipIf(!hasProc || !python)('the lock of an Apache broker, one of the operating system, counts', async () => {
  const hold =
    'import fcntl,sys; f=open(sys.argv[1],"w"); fcntl.lockf(f, fcntl.LOCK_EX); print("held", flush=True); sys.stdin.read()'
  const apache = spawn('python3', ['-c', hold, join(dir, '.lock')], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(apache.stdout, 'data')
  expect(() => lockDirs([dir])).toThrow(`process ${apache.pid}`)
  const exit = once(apache, 'exit')
  apache.stdin.end()
  await exit
  lockDirs([dir])()
})
