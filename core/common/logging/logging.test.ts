import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'

const children: ChildProcess[] = []
const dirs: string[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
})

interface Ended {
  readonly code: number | null
  readonly log: string
}

function launch(format: string, args: readonly string[], stderr: 'pipe' | number = 'pipe') {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'test-support/log-child.ts'), ...args], {
    env: { ...process.env, MILLRACE_LOG_LEVEL: 'INFO', MILLRACE_LOG_FORMAT: format },
    stdio: ['ignore', 'ignore', stderr, 'ipc'],
  })
  children.push(child)
  return child
}

/** Runs log-child.ts until it exits. Returns its exit code and its log. */
async function run(format: string, args: readonly string[], to: 'pipe' | 'file' = 'pipe'): Promise<Ended> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-log-'))
  dirs.push(dir)
  const file = join(dir, 'log')
  const child = launch(format, args, to === 'file' ? openSync(file, 'a') : 'pipe')
  let text = ''
  child.stderr?.on('data', chunk => (text += chunk))
  const code = await new Promise<number | null>(resolve => child.once('close', resolve))
  return { code, log: to === 'file' ? readFileSync(file, 'utf8') : text }
}

const messages = (log: string, format: string) =>
  log
    .split('\n')
    .filter(line => line.includes('millrace.test'))
    .map(line =>
      format === 'json' ? JSON.parse(line).message : /INFO (.*) \(millrace\.test\)|WARN (.*) \(/.exec(line),
    )
    .map(found => (typeof found === 'string' ? found : (found?.[1] ?? found?.[2])))

const lines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i}`)

describe.each([
  ['text', 'pipe'],
  ['text', 'file'],
  ['json', 'pipe'],
  ['json', 'file'],
] as const)('logging %s to a %s', (format, to) => {
  test('everything that was logged before process.exit is written, in order', async () => {
    for (const count of [0, 1, 500, 20_000]) {
      const { code, log } = await run(format, ['exit', String(count)], to)
      expect(code).toBe(3)
      expect(messages(log, format)).toEqual([...lines(count), ...lines(3), 'while exiting'])
    }
  })

  test('everything that was logged before an uncaught exception is written', async () => {
    const { code, log } = await run(format, ['uncaught', '2000'], to)
    expect(code).toBe(1)
    expect(messages(log, format)).toEqual(lines(2000))
    expect(log).toContain('nobody catches this')
  })
})

test('a process continues if nobody reads its log, and later logs how many entries it dropped', async () => {
  const child = launch('text', ['stalled'])
  const answer = () => new Promise(resolve => child.once('message', resolve))
  // This is far more than the pipe and the buffer can hold while nothing is read.
  for (let i = 0; i < 300; i++) {
    const answered = answer()
    child.send('count')
    expect(await answered).toBe('the event loop turns')
  }
  child.send('enough')
  let text = ''
  await new Promise<void>(resolve => {
    child.stderr!.on('data', chunk => {
      text += chunk
      if (/Dropped \d+ log entries, because the log was full or its reader too slow/.test(text)) resolve()
    })
  })
  child.send('end')
  expect(await new Promise(resolve => child.once('close', resolve))).toBe(0)
})

test('the process continues when the reader closes the pipe', async () => {
  const child = launch('text', ['stalled'])
  child.stderr!.destroy()
  for (let i = 0; i < 20; i++) {
    const answered = new Promise(resolve => child.once('message', resolve))
    child.send('count')
    expect(await answered).toBe('the event loop turns')
  }
  child.send('end')
  expect(await new Promise(resolve => child.once('close', resolve))).toBe(0)
})

test('a text line has the format of Log4j, and the stack of the error and its causes follows', async () => {
  const { log } = await run('text', ['entries'])
  expect(log).toMatch(/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\] INFO \[orders\|task-0\] shown \(millrace\.test\)\n/)
  expect(log).toMatch(
    /ERROR \[orders\|task-0\] failed \(millrace\.test\)\nTypeError: why\n {4}at [\s\S]*\nCaused by: Error: connect failed\n/,
  )
  expect(log).toContain('WARN [GroupCoordinator] two\nlines (millrace.test)\n')
  expect(log).not.toMatch(/secret|below the level/)
})

test('a JSON line has time, level, logger, message, the task and the error as fields', async () => {
  const { log } = await run('json', ['entries'])
  const entries = log
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  const task = {
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    logger: 'millrace.test',
    connector: 'orders',
    task: 0,
  }
  expect(entries).toEqual([
    { level: 'INFO', ...task, message: 'shown' },
    {
      level: 'ERROR',
      ...task,
      message: 'failed',
      error: {
        type: 'TypeError',
        message: 'why',
        stack: expect.stringMatching(/^TypeError: why\n[\s\S]*Caused by: Error: connect failed/),
      },
    },
    {
      level: 'WARN',
      ...task,
      message: 'failed with',
      error: {
        type: 'Error',
        message: 'connect failed',
        code: 'ECONNREFUSED',
        stack: expect.stringContaining('connect failed'),
      },
    },
    { level: 'WARN', time: task.time, logger: 'millrace.test', context: 'GroupCoordinator', message: 'two\nlines' },
  ])
  expect(log).not.toContain('secret')
})
