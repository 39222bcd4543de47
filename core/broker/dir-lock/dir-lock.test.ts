import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { lockDirs } from './dir-lock.ts'
import { ownerText, thisProcess } from './owner.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dir-lock-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const path = () => join(dir, '.lock')
const lock = () => readFileSync(path(), 'utf8')
const me = thisProcess()
const owner = (o: Partial<typeof me>) => ownerText({ ...me, ...o })
const dead = owner({ pid: 999999999, start: '1' })
const mtime = () => statSync(path()).mtimeMs
const hasProc = existsSync('/proc/self/stat')

test('a locked directory cannot be locked again until its lock is released', async () => {
  const release = await lockDirs([dir])
  await expect(lockDirs([dir])).rejects.toThrow(`in use by another broker, process ${process.pid}`)
  expect(lock()).toBe(ownerText(me))
  release()
  expect(readdirSync(dir)).toEqual([])
  ;(await lockDirs([dir]))()
})

test.skipIf(!hasProc)('a lock is taken over without waiting if its owner has certainly exited', async () => {
  const stale = [
    owner({ start: '1' }), // an earlier process that had the same pid as this process
    owner({ pid: 1, start: '1' }), // a process whose pid another process has reused
    dead,
    '999999999 1-00000000\n', // the format of version 0.1
    `${process.pid} 1-${me.boot.slice(0, 8)}\n`,
    '',
    'garbage',
  ]
  for (const text of stale) {
    writeFileSync(path(), text)
    const release = await lockDirs([dir], { warn: message => expect.unreachable(message) })
    expect(lock()).toBe(ownerText(me))
    expect(readdirSync(dir)).toEqual(['.lock'])
    release()
  }
})

test.skipIf(!hasProc)('a lock in the format of version 0.1 is valid while its process is running', async () => {
  const [pid, start] = [process.ppid, readFileSync(`/proc/${process.ppid}/stat`, 'latin1')]
  const ticks = start.slice(start.lastIndexOf(')') + 2).split(' ')[19]
  writeFileSync(path(), `${pid} ${ticks}-${me.boot.slice(0, 8)}\n`)
  await expect(lockDirs([dir])).rejects.toThrow(`process ${pid}`)
})

const FAST = { everyMs: 20, silenceMs: 400, remoteSilenceMs: 400 }
const container = { namespace: 'pid:[4026539999]', host: 'f00dcafe1234' }
const elsewhere = { boot: '11111111-2222-3333-4444-555555555555', host: 'other-host' }

test.skipIf(!hasProc)(
  'a process in another container or on another host keeps its lock as long as it renews the lock',
  async () => {
    for (const where of [container, elsewhere]) {
      writeFileSync(path(), owner(where))
      let n = 0
      const beat = setInterval(() => utimesSync(path(), new Date(), new Date(Date.now() - n++)), 20)
      const warnings: string[] = []
      const error = await lockDirs([dir], { heartbeat: FAST, warn: w => warnings.push(w) }).catch(e => e)
      expect(error).toMatchObject({ code: 'MR_BROKER_DIR_LOCKED_ELSEWHERE' })
      expect(String(error)).toContain(`process ${process.pid} on host ${where.host}`)
      expect(warnings[0]).toMatch(/^Waiting up to/)
      clearInterval(beat)
      // From here on, the lock is not renewed, as if its owner had exited.
      warnings.length = 0
      const release = await lockDirs([dir], { heartbeat: FAST, warn: w => warnings.push(w) })
      expect(warnings.at(-1)).toMatch(new RegExp(`its owner, process ${process.pid} on host ${where.host},`))
      release()
    }
  },
)

test.skipIf(!hasProc)(
  'the lock of a process in a container is taken over without waiting after a minute of silence',
  async () => {
    writeFileSync(path(), owner(container))
    const long = new Date(Date.now() - 60_000)
    utimesSync(path(), long, long)
    const warnings: string[] = []
    const release = await lockDirs([dir], { warn: w => warnings.push(w) })
    expect(warnings).toEqual([expect.stringMatching(/Taking over/)])
    release()
  },
)

test("a lock is renewed, and a process that loses its lock is notified and does not remove the new owner's", async () => {
  const lost: string[] = []
  const release = await lockDirs([dir], { heartbeat: FAST, onLost: d => lost.push(d) })
  const long = new Date(Date.now() - 60_000)
  utimesSync(path(), long, long)
  await vi.waitFor(() => expect(Date.now()).toBeLessThan(mtime() + 30_000))
  rmSync(path())
  await vi.waitFor(() => expect(lock()).toBe(ownerText(me)))
  writeFileSync(path(), owner(elsewhere))
  await vi.waitFor(() => expect(lost).toEqual([dir]))
  release()
  expect(lock()).toBe(owner(elsewhere))
})

test('a process that crashed while it took over a lock does not block other processes', async () => {
  writeFileSync(path(), dead)
  const guard = join(dir, `.lock.after-${dead.replace(/[^\w-]+/g, '_').slice(0, 150)}`)
  writeFileSync(guard, owner({ pid: 999999998, start: '1' }))
  const long = new Date(Date.now() - 60_000)
  utimesSync(guard, long, long)
  ;(await lockDirs([dir]))()
  expect(existsSync(path())).toBe(false)
})

test('no directory is locked if one of the directories is in use', async () => {
  const other = mkdtempSync(join(tmpdir(), 'dir-lock-'))
  const release = await lockDirs([other])
  await expect(lockDirs([dir, other])).rejects.toThrow(/in use/)
  expect(existsSync(path())).toBe(false)
  release()
  rmSync(other, { recursive: true })
})

test.skipIf(!hasProc)(
  'the error for a directory that cannot be created names the directory and the cause',
  async () => {
    await expect(lockDirs(['/proc/millrace/logs'])).rejects.toThrow(
      /Cannot write to the log directory \/proc\/millrace\/logs: ENOENT/,
    )
  },
)

const CONTENDER = `
  import { lockDirs } from ${JSON.stringify(join(import.meta.dirname, 'dir-lock.ts'))}
  process.stdout.write('ready')
  process.stdin.once('data', async () => {
    try { await lockDirs([process.argv[1]]); process.stdout.write('+') } catch (error) { process.stdout.write(error.code) }
    process.stdin.once('end', () => process.exit())
    process.stdin.resume()
  })`
const NODE = [process.execPath, '--input-type=module', '-e', CONTENDER]

test('exactly one of several processes that try at the same time gets the lock, even if a stale lock exists', {
  timeout: 60_000,
}, async () => {
  for (const before of [null, dead]) {
    if (before !== null) writeFileSync(path(), before)
    const all = Array.from({ length: 6 }, () =>
      spawn(NODE[0]!, [...NODE.slice(1), dir], { stdio: ['pipe', 'pipe', 'inherit'] }),
    )
    await Promise.all(all.map(c => once(c.stdout, 'data')))
    const answers = Promise.all(all.map(async c => String((await once(c.stdout, 'data'))[0])))
    for (const c of all) c.stdin.write('go')
    expect((await answers).sort()).toEqual(['+', ...Array(5).fill('MR_BROKER_DIR_LOCKED')])
    const ends = Promise.all(all.map(c => once(c, 'exit')))
    for (const c of all) c.stdin.end()
    await ends
    expect(readdirSync(dir)).toEqual(['.lock'])
    rmSync(path())
  }
})

/** Starts a program that locks the directory. Resolves when the program has the lock. */
async function holding(command: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.stdin.write('go')
  expect(String((await once(child.stdout, 'data'))[0])).toBe('+')
  return child
}

test.skipIf(!hasProc)('the lock of a zombie process is taken over without waiting', async () => {
  // The shell starts the program and then becomes `sleep`, which never reads the exit code of the
  // program. A killed program therefore remains a zombie.
  const parent = await holding('sh', ['-c', 'exec 3<&0; "$@" <&3 & exec sleep 600', 'sh', ...NODE, dir])
  const pid = Number(lock().split(' ')[0])
  await expect(lockDirs([dir])).rejects.toThrow(`process ${pid}`)
  process.kill(pid, 'SIGKILL')
  await vi.waitFor(() => {
    expect(readFileSync(`/proc/${pid}/stat`, 'latin1')).toContain(') Z ')
    // The other threads of the process may exit later than its first thread.
    expect(readdirSync(`/proc/${pid}/task`)).toHaveLength(1)
  })
  ;(await lockDirs([dir], { warn: message => expect.unreachable(message) }))()
  parent.kill('SIGKILL')
})

const unshare = ['--pid', '--fork', '--kill-child', '--mount-proc']
const canUnshare = hasProc && spawnSync('unshare', [...unshare, 'true']).status === 0
test.skipIf(!canUnshare)(
  'a process in another pid namespace keeps its lock while it is running, and loses it after it is killed',
  async () => {
    const child = await holding('unshare', [...unshare, ...NODE, dir])
    expect(lock()).toMatch(/^1 /)
    await expect(lockDirs([dir])).rejects.toMatchObject({ code: 'MR_BROKER_DIR_LOCKED_ELSEWHERE' })
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
    ;(await lockDirs([dir], { heartbeat: { ...FAST, silenceMs: 3000 } }))()
  },
)

const python = spawnSync('python3', ['--version']).status === 0
test.skipIf(!hasProc || !python)(
  'a directory cannot be locked while another process has an OS lock on .lock, as an Apache broker has',
  async () => {
    const hold =
      'import fcntl,sys; f=open(sys.argv[1],"w"); fcntl.lockf(f, fcntl.LOCK_EX); print("held", flush=True); sys.stdin.read()'
    const apache = spawn('python3', ['-c', hold, path()], { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(apache.stdout, 'data')
    await expect(lockDirs([dir])).rejects.toThrow(`process ${apache.pid}`)
    const exit = once(apache, 'exit')
    apache.stdin.end()
    await exit
    ;(await lockDirs([dir]))()
  },
)
