import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const dir = mkdtempSync(join(tmpdir(), 'lint-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const ABORTABLE_WAIT = `export const f = (signal: AbortSignal) => new Promise<void>((resolve, reject) => {
  const timer = setTimeout(resolve, 5)
  signal.addEventListener('abort', () => { clearTimeout(timer); reject(signal.reason) }, { once: true })
})`

/** Files that break a rule, each with the message of the rule. */
const PLANTED: readonly (readonly [text: string, message: string])[] = [
  ["import { setTimeout } from 'node:timers/promises'\nexport const f = () => setTimeout(5)", 'Use sleep or nextTurn'],
  ['export const f = () => new Promise(done => setTimeout(done, 5))', 'A private sleep'],
  ['export const f = () => new Promise<void>((done) => setTimeout(done, 5, null))', 'A private sleep'],
  ['export const f = () => new Promise<void>(r => { setTimeout(() => r(), 5) })', 'A private sleep'],
  ['export const f = () => new Promise(resolve => setImmediate(resolve))', 'A private sleep'],
  [ABORTABLE_WAIT, 'A private abortable wait'],
  ['export function f(wait: number) {\n  wait = Math.min(wait * 2, 60)\n  return wait\n}', 'A private back-off'],
  ['export const f = (ms: number, n: number) => ms * 2 ** Math.min(n, 20)', 'A private back-off'],
  ['export const f = (a: 1, b: 2, c: 3, d: 4, e: 5, g: 6) => [a, b, c, d, e, g]', 'only 5 are allowed'],
]
const CLEAN = "import { sleep } from './sleep.ts'\nexport const wait = () => sleep(5)\n"

let reports: readonly string[] = []

beforeAll(() => {
  const config = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8')) as Record<string, unknown>
  writeFileSync(join(dir, 'biome.json'), JSON.stringify({ ...config, $schema: undefined, vcs: { enabled: false } }))
  mkdirSync(join(dir, 'scripts'))
  cpSync(join(root, 'scripts/lint'), join(dir, 'scripts/lint'), { recursive: true })
  const texts = [...PLANTED.map(([text]) => text), CLEAN]
  reports = texts.map((text, n) => {
    const file = join(dir, `planted-${n}.ts`)
    writeFileSync(file, text)
    const biome = join(root, 'node_modules/@biomejs/biome/bin/biome')
    const run = spawnSync(process.execPath, [biome, 'lint', '--colors=off', file], { cwd: dir, encoding: 'utf8' })
    return `${run.stdout}${run.stderr}`
  })
})

test.each(PLANTED.map(([text, message], n) => ({ text, message, n })))('Biome reports: $message', ({ message, n }) => {
  expect(reports[n]).toContain(message)
  expect(reports[n]).toMatch(/Found 1 error/)
})

test('code that uses the shared sleep is accepted', () => {
  expect(reports[PLANTED.length]).toContain('Checked 1 file')
  expect(reports[PLANTED.length]).not.toMatch(/Found \d/)
})

/**
 * Code that uses promises of another file, each with the rule that it breaks. Only a linter that
 * knows types can find these mistakes.
 */
const PROMISES: readonly (readonly [code: string, rule: string])[] = [
  ['export const f = () => { later() }', 'no-floating-promises'],
  ['export const f = (on: (listener: Listener) => void) => on(async () => { await later() })', 'no-misused-promises'],
  ['export const f = () => { if (later()) return 1; return 2 }', 'no-misused-promises'],
  ['export const f = async () => { await now() }', 'await-thenable'],
  ['export const f = () => now() as number', 'no-unnecessary-type-assertion'],
]
const HANDLED = 'export const f = () => { later().catch((error: unknown) => { throw error }) }'

test('floating promises are reported across files, and nothing else is reported', () => {
  const typed = mkdtempSync(join(dir, 'typed-'))
  cpSync(join(root, '.oxlintrc.json'), join(typed, '.oxlintrc.json'))
  const compilerOptions = {
    strict: true,
    module: 'nodenext',
    types: [],
    allowImportingTsExtensions: true,
    noEmit: true,
  }
  writeFileSync(join(typed, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  const api = 'export async function later() {}\nexport const now = () => 1\nexport type Listener = () => void\n'
  writeFileSync(join(typed, 'api.ts'), api)
  const imports = "import { later, now, type Listener } from './api.ts'\n"
  const codes = [...PROMISES.map(([code]) => code), HANDLED]
  for (const [n, code] of codes.entries()) writeFileSync(join(typed, `case-${n}.ts`), `${imports}${code}\n`)

  const oxlint = join(root, 'node_modules/oxlint/bin/oxlint')
  const run = spawnSync(process.execPath, [oxlint, '--type-aware', '--format=unix', '.'], {
    cwd: typed,
    encoding: 'utf8',
  })
  const found = [...run.stdout.matchAll(/(case-\d+)\.ts:.*typescript\(([\w-]+)\)/g)].map(
    ([, file, rule]) => `${file} ${rule}`,
  )
  expect(found.sort()).toEqual(PROMISES.map(([, rule], n) => `case-${n} ${rule}`))
  expect(run.status).toBe(1)
})
