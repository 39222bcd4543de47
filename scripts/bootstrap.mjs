// Runs `npm start`, `npm test`, `npm run bench` and `npm run build`. Installs and builds, then
// starts the command with Node 24 of the npm package `node`. In a new clone nothing is installed,
// and npm runs this file with the Node of the machine. Therefore this file has no dependencies, and
// runs on Node 20.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const [command = 'help', ...rest] = process.argv.slice(2)
const say = text => process.stderr.write(`millrace: ${text}\n`)

function fail(text, code = 1) {
  say(text)
  process.exit(code)
}

if (Number(process.versions.node.split('.')[0]) < 20) {
  fail(`Node ${process.versions.node} is too old. Install Node 20 or newer (https://nodejs.org) and run this again.`)
}

function step(what, file, args, options = {}) {
  const started = Date.now()
  say(`${what} ...`)
  const done = spawnSync(file, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options })
  if (done.error) fail(`${what} failed: ${done.error.message}`)
  if (done.status !== 0) fail(`${what} failed (exit ${done.status ?? done.signal}). The reason is in the lines above.`)
  say(`${what}: done in ${((Date.now() - started) / 1000).toFixed(1)} s`)
}

/** The disk space for the packages and the build, and for npm while it unpacks packages. */
const NEEDED_MB = 700

const LOCK = join(root, '.cache', 'setup.lock')
/**
 * The maximum age of a lock. No setup takes longer, so the owner of an older lock has ended, and
 * another process may have reused its pid.
 */
const LOCK_LASTS_MS = 15 * 60_000

/**
 * Returns the state of a process ('Z' for a zombie) and its start, in ticks since the boot. Null if
 * /proc has no such process.
 */
function statOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0], start: fields[19] }
  } catch {
    return null
  }
}

/** Returns what identifies this process among the processes of all machines. */
function identity() {
  let place = hostname()
  try {
    place = `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}/${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    // Without /proc, only the host name identifies the machine.
  }
  return { pid: process.pid, start: statOf(process.pid)?.start ?? '', place, host: hostname() }
}

/**
 * Returns the owner of the lock. Null if there is no lock file, if the file is too old, or if the
 * owner has ended.
 */
function holder() {
  const age = statSync(LOCK, { throwIfNoEntry: false })
  if (!age || Date.now() - age.mtimeMs > LOCK_LASTS_MS) return null
  let owner
  try {
    owner = JSON.parse(readFileSync(LOCK, 'utf8'))
  } catch {
    return null
  }
  const me = identity()
  // An earlier version of this file wrote only its pid.
  if (typeof owner !== 'object' || owner === null) owner = { ...me, pid: Number(owner), start: '' }
  // The owner runs in another container or on another host that shares this folder.
  if (owner.place !== me.place) return owner
  const stat = statOf(owner.pid)
  // A zombie has ended. A different start time means that another process has reused the pid.
  if (stat) return stat.state === 'Z' || (owner.start !== '' && stat.start !== owner.start) ? null : owner
  try {
    process.kill(owner.pid, 0)
    return owner.pid === process.pid ? null : owner
  } catch (error) {
    return error.code === 'EPERM' ? owner : null
  }
}

/**
 * Installs and builds. Only one process at a time does this in a clone, because two would overwrite
 * each other's files.
 */
function setUp() {
  mkdirSync(dirname(LOCK), { recursive: true })
  for (let said = false; ; ) {
    try {
      writeFileSync(LOCK, JSON.stringify(identity()), { flag: 'wx' })
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const owner = holder()
    if (!owner) rmSync(LOCK, { force: true })
    else {
      if (!said)
        say(
          `waiting for process ${owner.pid} on ${owner.host}, which installs or builds in this folder. ` +
            `If it has ended, delete ${LOCK}.`,
        )
      said = true
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250)
    }
  }
  const unlock = () => rmSync(LOCK, { force: true })
  process.on('exit', unlock)
  install()
  build()
  unlock()
  process.removeListener('exit', unlock)
}

function install() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  const stamp = join(root, 'node_modules', '.millrace-installed')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock && existsSync(node)) return
  // npm does not notice that an install script was interrupted, so an incomplete installation is
  // deleted first.
  if (existsSync(join(root, 'node_modules')) && !existsSync(node)) {
    say('deleting an incomplete installation')
    rmSync(join(root, 'node_modules'), { recursive: true, force: true })
  }
  const { bavail, bsize } = statfsSync(root)
  const free = Math.floor((bavail * bsize) / 2 ** 20)
  if (free < NEEDED_MB) fail(`packages and build need ${NEEDED_MB} MB, but the disk of ${root} has ${free} MB free.`)
  // Does not use `npm ci`, which rejects a lockfile that lacks the optional packages of another
  // platform.
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  step('installing packages (once, about 400 MB)', npm, [
    'install',
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    // With npm's defaults of 10 and 60 s, npm prints nothing for minutes if there is no network.
    '--fetch-retry-mintimeout=500',
    '--fetch-retry-maxtimeout=5000',
  ])
  writeFileSync(stamp, lock)
}

const node = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')

function build() {
  if (!existsSync(node))
    fail(
      'npm did not run the install script of the `node` package. Unset `ignore-scripts` in your .npmrc and run this again.',
    )
  mkdirSync(join(root, 'node_modules', '.cache'), { recursive: true })
  step('building', node, [join(root, 'scripts', 'build.ts')])
}

/** Runs a program in the foreground until it ends, and exits with its code. */
function handOver(args) {
  const path = `${join(root, 'node_modules', '.bin')}:${process.env.PATH ?? ''}`
  const child = spawn(node, args, { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: path } })
  // The terminal also sends Ctrl-C to the child, so only other signals are passed on.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  process.on('SIGHUP', () => child.kill('SIGHUP'))
  child.on('error', error => fail(error.message))
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
}

try {
  if (command === 'start') {
    setUp()
    handOver([join(root, 'dist', 'cli', 'bin.js'), 'start', '--demo', ...rest])
  } else if (command === 'test' || command === 'bench') {
    setUp()
    handOver([join(root, 'scripts', `${command}.ts`), ...rest])
  } else if (command === 'build') {
    setUp()
  } else {
    fail('usage: node scripts/bootstrap.mjs start|test|bench|build', 2)
  }
} catch (error) {
  if (error.code === 'EACCES' || error.code === 'EPERM') fail(`no permission for ${error.path}: ${error.message}`)
  if (error.code === 'ENOSPC') fail('the disk is full; free about 1 GB and run this again.')
  throw error
}
