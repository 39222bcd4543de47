// `npm start` and `npm test` on a fresh clone: plain JavaScript without dependencies, since nothing is installed yet, and
// written for Node 20, since npm runs it on whatever Node there is. Installs, builds, then hands over to the Node 24 of the
// `node` package.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
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
  fail(
    `Node ${process.versions.node} is too old to set up; install Node 20 or newer (https://nodejs.org) and run this again.`,
  )
}

function step(what, file, args, options = {}) {
  const started = Date.now()
  say(`${what} ...`)
  const done = spawnSync(file, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options })
  if (done.error) fail(`${what} failed: ${done.error.message}`)
  if (done.status !== 0) fail(`${what} failed (exit ${done.status ?? done.signal}); the lines above say why.`)
  say(`${what}: done in ${((Date.now() - started) / 1000).toFixed(1)} s`)
}

function install() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  const stamp = join(root, 'node_modules', '.millrace-installed')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return
  // not `npm ci`: it refuses a lockfile made where some other platform's optional binaries could not be looked up
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  step('installing packages (once, about 400 MB)', npm, [
    'install',
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ])
  writeFileSync(stamp, lock)
}

const node = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')

function build() {
  if (!existsSync(node)) fail('the `node` package is not installed whole; remove node_modules and run this again.')
  mkdirSync(join(root, 'node_modules', '.cache'), { recursive: true })
  step('building', node, [join(root, 'scripts', 'build.ts')])
}

/** Runs a program in the foreground; signals reach it through the terminal's process group or are passed on. */
function handOver(args) {
  const path = `${join(root, 'node_modules', '.bin')}:${process.env.PATH ?? ''}`
  const child = spawn(node, args, { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: path } })
  // Ctrl-C reaches the child by itself, TERM does not; either way wait until it has stopped cleanly
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  process.on('SIGHUP', () => child.kill('SIGHUP'))
  child.on('error', error => fail(error.message))
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
}

try {
  if (command === 'start') {
    install()
    build()
    handOver([join(root, 'dist', 'cli', 'bin.js'), 'start', '--demo', ...rest])
  } else if (command === 'test' || command === 'bench') {
    install()
    build()
    handOver([join(root, 'scripts', `${command}.ts`), ...rest])
  } else if (command === 'build') {
    install()
    build()
  } else {
    fail('usage: node scripts/bootstrap.mjs start|test|bench|build', 2)
  }
} catch (error) {
  if (error.code === 'EACCES' || error.code === 'EPERM') fail(`no permission for ${error.path}: ${error.message}`)
  if (error.code === 'ENOSPC') fail('the disk is full; free about 1 GB and run this again.')
  throw error
}
