/**
 * `npm test`: every test but the peers', against real services. Ends with one line, `N passed, N failed, N skipped`.
 * Arguments go to vitest: `npm test -- core/protocol`. `--peer` runs the peer tests instead (needs Java; fetches Apache's jars).
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const args = process.argv.slice(2)
const peer = args.includes('--peer')
const out = mkdtempSync(join(tmpdir(), 'millrace-test-'))
const report = join(out, 'report.json')

if (peer) {
  const setUp = spawnSync(process.execPath, [join(root, 'test/peers/setup.ts')], { stdio: 'inherit' })
  if (setUp.status !== 0) {
    console.error('!!! The peers cannot be had, so their tests are SKIPPED.')
    if (process.env['CI'] === 'true') process.exit(1)
  }
}
const vitest = [
  join(root, 'node_modules/vitest/vitest.mjs'),
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
]
const done = spawnSync(process.execPath, [...vitest, ...args.filter(a => a !== '--peer')], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, MILLRACE_PEER: peer ? '1' : '0', MILLRACE_TEST_DIST: '1' },
})

interface Report {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: { status: string; assertionResults: unknown[] }[]
}
let line = '0 passed, 1 failed'
let code = done.status ?? 1
try {
  const r = JSON.parse(readFileSync(report, 'utf8')) as Report
  // a file that cannot even be loaded has no tests to count: it is one failure
  const broken = r.testResults.filter(f => f.status === 'failed' && f.assertionResults.length === 0).length
  const failed = r.numFailedTests + broken
  line = `${r.numPassedTests} passed, ${failed} failed, ${r.numPendingTests + r.numTodoTests} skipped`
  if (failed > 0 && code === 0) code = 1
  if (code !== 0 && failed === 0)
    line = `${r.numPassedTests} passed, 1 failed, ${r.numPendingTests + r.numTodoTests} skipped`
} catch (error) {
  console.error(`no report from vitest: ${(error as Error).message}`)
  code ||= 1
} finally {
  rmSync(out, { recursive: true, force: true })
}
console.log(line)
process.exit(code)
