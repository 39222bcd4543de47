import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseOverrides } from './commands/broker.ts'

const bin = join(import.meta.dirname, 'bin.ts')
const run = (...args: string[]) =>
  spawnSync(process.execPath, [bin, ...args], { encoding: 'utf8', timeout: 30_000, killSignal: 'SIGKILL' })

test('--help shows the usage of the program and of every command', () => {
  for (const [args, words] of [
    [[], ['start', 'broker', 'connect-standalone', 'connect-distributed']],
    [
      ['start'],
      ['--demo', '--data-dir', '--port', '--rest-port', '9092', '8083', '--metrics-port', '9404', '--log-format'],
    ],
    [['broker'], ['server.properties', '--override']],
    [['connect-standalone'], ['worker.properties', 'connectors']],
    [['connect-distributed'], ['worker.properties']],
    [['demo', 'sql'], ['statement']],
  ] as const) {
    const { status, stdout } = run(...args, '--help')
    expect(status).toBe(0)
    for (const word of words) expect(stdout).toContain(word)
  }
})

test('millrace uses eight threads of the thread pool unless UV_THREADPOOL_SIZE is set', () => {
  const threads = (size: string | undefined) => {
    // This code counts the threads after the first file operation, which starts the thread pool.
    const count = "process.stderr.write('threads ' + readdirSync('/proc/self/task').length)"
    const code = `const { exit } = process;process.exit = code => readFile('/etc/hostname', () => { ${count}; exit(code) })`
    const preload = `data:text/javascript,import { readdirSync, readFile } from 'node:fs';${code}`
    const env = { ...process.env, UV_THREADPOOL_SIZE: size }
    const { stderr } = spawnSync(process.execPath, ['--import', preload, bin], { encoding: 'utf8', env })
    return Number(/threads (\d+)/.exec(stderr)?.[1])
  }
  expect(threads(undefined) - threads('1')).toBe(7)
})

test('an unknown command or an invalid port prints one line and exits with a non-zero code', () => {
  expect(run('strat')).toMatchObject({ status: 1, stderr: expect.stringContaining("unknown command 'strat'") })
  expect(run('start', '--port', 'x')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('a port is a number'),
  })
})

test('an unknown log format or level is an error that lists the valid values', () => {
  const env = (name: string, value: string) =>
    spawnSync(process.execPath, [bin, 'broker', 'none.properties'], {
      encoding: 'utf8',
      env: { ...process.env, [name]: value },
    })
  expect(run('broker', 'x', '--log-format', 'xml').stderr).toContain("argument 'xml' is invalid. use one of text, json")
  for (const [name, values] of [
    ['MILLRACE_LOG_FORMAT', 'text, json'],
    ['MILLRACE_LOG_LEVEL', 'TRACE, DEBUG, INFO, WARN, ERROR, FATAL, OFF'],
  ] as const) {
    const { status, stderr } = env(name, 'loud')
    expect(stderr).toContain(
      `the environment variable ${name} has the unknown value 'loud'. Set it to one of ${values}`,
    )
    expect(status).toBe(1)
  }
})

test('with --log-format json, command errors, uncaught errors and Node’s warnings are JSON too', () => {
  const entries = (preload: string, ...args: string[]) => {
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--import', `data:text/javascript,${preload}`, bin, ...args],
      {
        encoding: 'utf8',
        timeout: 30_000,
      },
    )
    expect(status).toBe(1)
    return stderr
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
  }
  const args = ['broker', 'missing.properties', '--log-format', 'json']
  expect(entries('', ...args)).toEqual([
    expect.objectContaining({ level: 'ERROR', message: expect.stringContaining('missing.properties') }),
  ])
  // This code causes a warning and then an uncaught error, after millrace has installed its
  // handlers.
  const fail = "setImmediate(() => { process.emitWarning('careful'); setImmediate(() => { throw new Error('boom') }) })"
  const preload = `process.on('newListener', event => { if (event === 'uncaughtException') ${fail} })`
  expect(
    entries(preload, 'start', '--log-format', 'json', '--data-dir', join(tmpdir(), 'millrace-cli-uncaught')),
  ).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ level: 'WARN', message: 'Warning: careful' }),
      expect.objectContaining({ level: 'FATAL', error: expect.objectContaining({ message: 'boom' }) }),
    ]),
  )
})

test('with --log-format json, every line is JSON, including the last one before the process exits', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
  const file = join(dir, 'server.properties')
  writeFileSync(file, `listeners=PLAINTEXT://127.0.0.1:0\nlog.dirs=${dir}/logs\n`)
  const env = { ...process.env, MILLRACE_LOG_LEVEL: 'INFO' }
  const child = spawn(process.execPath, [bin, 'broker', file, '--log-format', 'json'], { env })
  let text = ''
  child.stderr.on('data', chunk => {
    text += chunk
    if (/listens on/.test(text)) child.kill('SIGTERM')
  })
  const code = await new Promise(resolve => child.once('close', resolve))
  rmSync(dir, { recursive: true, force: true })
  const entries = text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(entries.at(-1)).toMatchObject({ level: 'INFO', logger: 'millrace.broker', message: 'Broker 1 stopped' })
  expect(code).toBe(0)
})

test('the error about a port in use is one line that names the option', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(done => server.once('listening', done))
  const { port } = server.address() as AddressInfo
  const dir = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
  try {
    const { status, stderr } = run('start', '--port', String(port), '--data-dir', dir)
    expect(status).toBe(1)
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(new RegExp(`port ${port} of 127.0.0.1 is used.*--port`)),
    ])
  } finally {
    server.close()
    rmSync(dir, { recursive: true, force: true })
  }
})

test('the error about a data directory that cannot be created is one line that names the option', () => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
  const file = join(dir, 'file')
  writeFileSync(file, '')
  // In /proc, mkdir fails with ENOENT, which must not cause an endless loop.
  const places = [join(file, 'below'), ...(process.platform === 'linux' ? ['/proc/millrace/data'] : [])]
  try {
    for (const place of places) {
      const { status, stderr } = run('start', '--data-dir', place)
      expect(status).toBe(1)
      expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(/data directory .* cannot be used.*--data-dir/)])
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

test('an override is key=value, and its value may contain =', () => {
  expect(parseOverrides(['a.b=1', 'c=x=y', 'd='])).toEqual({ 'a.b': '1', c: 'x=y', d: '' })
  expect(() => parseOverrides(['nonsense'])).toThrow(/'nonsense' of --override is not a property/)
})
