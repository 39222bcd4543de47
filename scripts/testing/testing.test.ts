import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { PROGRESS_FILE, type Progress, readProgress } from './progress.ts'
import { runGroup } from './run-group.ts'

const dirs: string[] = []
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
})

/** Runs scripts/test.ts with these test files, and sends it SIGTERM once `endAt` returns true. */
async function run(
  files: Readonly<Record<string, string>>,
  endAt: (progress: Progress) => boolean = () => false,
): Promise<{ code: number | null; text: string; summary: string }> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-testing-'))
  dirs.push(dir)
  writeFileSync(
    join(dir, 'vitest.config.mjs'),
    'export default { test: { globals: true, pool: "forks", maxWorkers: 2 } }',
  )
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  const summary = join(dir, 'summary')
  const progress = join(dir, 'progress.json')
  const script = join(import.meta.dirname, '../test.ts')
  const child = spawn(process.execPath, [script, '--root', dir, '--config', join(dir, 'vitest.config.mjs')], {
    env: { ...process.env, MILLRACE_TEST_SUMMARY: summary, [PROGRESS_FILE]: progress },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (text += chunk))
  // The pipes close when no process of the group is left.
  const closed = new Promise<number | null>(resolve => child.once('close', resolve))
  const watch = setInterval(() => {
    if (!endAt(readProgress(progress))) return
    clearInterval(watch)
    child.kill('SIGTERM')
  }, 50)
  const code = await closed
  clearInterval(watch)
  return { code, text, summary: readFileSync(summary, 'utf8') }
}

test('the last line counts passed, failed and skipped tests; a file that cannot be loaded is one failure', async () => {
  const { code, text, summary } = await run({
    'a.test.mjs': 'test("yes", () => {}); test("no", () => { throw new Error("no") }); test.skip("not now", () => {})',
    'b.test.mjs': 'import "./is-not-there.mjs"; test("never", () => {})',
  })
  expect(code).toBe(1)
  expect(text.trimEnd().split('\n').at(-1)).toBe('1 passed, 2 failed, 1 skipped')
  expect(summary).toBe('1 passed, 2 failed, 1 skipped\n')
})

test('an error outside of any test is a failure', async () => {
  const { code, summary } = await run({
    'a.test.mjs':
      'test("yes", async () => { Promise.reject(new Error("unhandled")); await new Promise(r => setTimeout(r, 10)) })',
  })
  expect(code).toBe(1)
  expect(summary).toBe('1 passed, 1 failed, 0 skipped\n')
})

test('a run that is ended names the tests that are still running, and ends their processes', async () => {
  const { code, text, summary } = await run(
    {
      'a.test.mjs': 'test("quick", () => {})',
      'b.test.mjs': `
        import { spawn } from 'node:child_process'
        import { setTimeout } from 'node:timers/promises'
        test('stuck', async () => {
          spawn('/bin/sh', ['-c', 'trap "" TERM; while :; do sleep 1; done'], { stdio: 'inherit' })
          await setTimeout(600_000)
        }, 600_000)`,
    },
    // The test `quick` has passed, and `stuck` has started.
    progress => progress.passed === 1 && progress.running.some(r => r.name === 'b.test.mjs > stuck'),
  )
  expect(code).not.toBe(0)
  expect(text).toMatch(/Ended by SIGTERM\. Still running:\n(.*\n)*!!! {3}for \d+ s: b\.test\.mjs > stuck/)
  expect(summary).toBe('1 passed, 1 failed, 0 skipped\n')
})

test('at the limit, all processes of a group are ended, including those that ignore SIGTERM', async () => {
  const why: string[] = []
  const code = await runGroup('/bin/sh', ['-c', 'trap "" TERM; while :; do sleep 1; done'], {
    cwd: tmpdir(),
    env: process.env,
    limitMs: 50,
    graceMs: 50,
    onEnd: w => why.push(w),
  })
  expect([code, why]).toEqual([1, ['limit']])
})
