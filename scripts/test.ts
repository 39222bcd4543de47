/**
 * `npm test` runs every test except the peer tests, against real services. Arguments go to vitest:
 * `npm test -- core/protocol`. `--peer` runs the peer tests instead, which need Java and download
 * Apache's jars. The last line is `N passed, N failed, N skipped`. It is also appended to the file
 * in MILLRACE_TEST_SUMMARY. After MILLRACE_TEST_MINUTES (default 60), the tests that are still
 * running are reported and ended.
 */
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NONE, PROGRESS_FILE, type Progress, readProgress } from './testing/progress.ts'
import { runGroup } from './testing/run-group.ts'

const root = join(import.meta.dirname, '..')
const args = process.argv.slice(2)
const peer = args.includes('--peer')
const minutes = Number(process.env['MILLRACE_TEST_MINUTES'] ?? 60)
const out = mkdtempSync(join(tmpdir(), 'millrace-test-'))
const file = process.env[PROGRESS_FILE] ?? join(out, 'progress.json')

if (peer) {
  const setUp = spawnSync(process.execPath, [join(root, 'test/peers/setup.ts')], { stdio: 'inherit' })
  if (setUp.status !== 0) {
    console.error('!!! Setting up the peers failed, so their tests are SKIPPED.')
    if (process.env['CI'] === 'true') finish(NONE, 1)
  }
}
let ended = false
const code = await runGroup(
  process.execPath,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--reporter=default',
    `--reporter=${join(root, 'scripts/testing/progress.ts')}`,
    ...args.filter(a => a !== '--peer'),
  ],
  {
    cwd: root,
    env: { ...process.env, MILLRACE_PEER: peer ? '1' : '0', MILLRACE_TEST_DIST: '1', [PROGRESS_FILE]: file },
    limitMs: minutes * 60_000,
    onEnd(why) {
      ended = true
      console.error(
        `\n!!! ${why === 'limit' ? `Not finished after ${minutes} minutes` : `Ended by ${why}`}. Still running:`,
      )
      for (const { name, since } of readProgress(file).running) {
        console.error(`!!!   for ${Math.round((Date.now() - since) / 1000)} s: ${name}`)
      }
    },
  },
)
finish(readProgress(file), ended ? code || 1 : code)

/**
 * Prints the last line and exits. An error outside of all tests, such as an unhandled rejection or
 * a crash, counts as one failure.
 */
function finish({ passed, failed, skipped }: Progress, exitCode: number): never {
  rmSync(out, { recursive: true, force: true })
  const failures = failed === 0 && exitCode !== 0 ? 1 : failed
  const line = `${passed} passed, ${failures} failed, ${skipped} skipped`
  const summary = process.env['MILLRACE_TEST_SUMMARY']
  if (summary) appendFileSync(summary, `${line}\n`)
  console.log(line)
  process.exit(failures > 0 ? exitCode || 1 : exitCode)
}
