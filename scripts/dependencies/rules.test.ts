import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ICruiseResult } from 'dependency-cruiser'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

/**
 * Runs dependency-cruiser with the project's rules on the project, or on a folder with the same
 * structure.
 */
function cruise(cwd: string): ICruiseResult {
  const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')
  const folders = globSync('{core,connectors,transforms,converters,cli,bench,test,scripts}', { cwd })
  const config = join(root, '.dependency-cruiser.mjs')
  const args = [cruiser, '--config', config, '--output-type', 'json', ...folders]
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', maxBuffer: 2 ** 28 })
  if (!stdout) throw new Error(stderr)
  return JSON.parse(stdout) as ICruiseResult
}

/** Creates a project with all entry points and with `files`. */
function project(files: Readonly<Record<string, string>>): { dir: string; [Symbol.dispose](): void } {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-dependencies-'))
  const manifest = {
    name: 'millrace',
    type: 'module',
    exports: { './connect': { 'millrace-source': './core/connect/index.ts' } },
    dependencies: { declared: '1.0.0' },
    devDependencies: { tool: '1.0.0' },
  }
  const all: Record<string, string> = {
    'package.json': JSON.stringify(manifest),
    'cli/bin.ts': '',
    'core/connect/index.ts': 'export const api = 1',
    'connectors/file/plugins.json': '{"plugins":[{"module":"./source.js"}]}',
    'connectors/file/source.ts': '',
    ...files,
  }
  for (const name of ['declared', 'tool', 'undeclared']) {
    all[`node_modules/${name}/package.json`] = JSON.stringify({ name, version: '1.0.0', main: 'index.js' })
    all[`node_modules/${name}/index.js`] = ''
  }
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text)
  }
  return { dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) }
}

const violations = (result: ICruiseResult) =>
  result.summary.violations.map(({ rule, from, to }) =>
    from === to ? `${rule.name}: ${from}` : `${rule.name}: ${from} -> ${to}`,
  )

test('each rule finds the file that breaks it, however the import is written', () => {
  using broken = project({
    'cli/bin.ts': `
      import './used.ts'
      import '../core/broker/a.ts'
      import '../core/client/a.ts'
      import '../core/rest/new-module.ts'
      import tool from 'tool'
      import none from './not-there.ts'`,
    'cli/used.ts': "import type { Extra } from 'undeclared'\nimport './used.test.ts'",
    'cli/used.test.ts': "import '../core/worker/task.ts'",
    'cli/forgotten.ts': "import 'declared'",
    'core/broker/a.ts': "export type { Task } from '../worker/task.ts'\nexport * from './b.ts'",
    'core/broker/b.ts': "export const later = () => import('./a.ts')",
    'core/client/a.ts': "async function f() { using file = open(); await import('../broker/b.ts') }",
    'core/worker/task.ts': "import { scale } from '../../bench/lib.ts'",
    'core/rest/new-module.ts': "import 'node:fs'",
    'bench/lib.ts': "import '../core/broker/a.ts'",
    'connectors/file/source.ts':
      "import { api } from '../../core/connect/index.ts'\nimport '../../core/connect/inner.ts'",
    'core/connect/inner.ts': '',
  })
  expect(violations(cruise(broken.dir)).sort()).toEqual(
    [
      'cli imports only core/common, core/broker, core/worker: cli/bin.ts -> core/client/a.ts',
      'cli imports only core/common, core/broker, core/worker: cli/bin.ts -> core/rest/new-module.ts',
      'every file belongs to a known module: core/rest/new-module.ts -> fs',
      'production code does not import devDependencies: cli/bin.ts -> node_modules/tool/index.js',
      'imports can be resolved: cli/bin.ts -> ./not-there.ts',
      'packages are declared in package.json: cli/used.ts -> node_modules/undeclared/index.js',
      'production code does not import test code: cli/used.ts -> cli/used.test.ts',
      'no orphans: cli/forgotten.ts',
      'core/broker imports only core/common, core/protocol: core/broker/a.ts -> core/worker/task.ts',
      'no cycles at run time: core/broker/a.ts -> core/broker/b.ts',
      'core/client imports only core/common, core/protocol: core/client/a.ts -> core/broker/b.ts',
      'core/worker imports only core/common, core/client, core/connect: core/worker/task.ts -> bench/lib.ts',
      'production code does not import test code: core/worker/task.ts -> bench/lib.ts',
      'connectors/file imports only millrace/connect: connectors/file/source.ts -> core/connect/inner.ts',
      'plugins import the plugin API by name: connectors/file/source.ts -> core/connect/index.ts',
      'plugins import the plugin API by name: connectors/file/source.ts -> core/connect/inner.ts',
    ].sort(),
  )
})

test('code that follows the rules has no violation', () => {
  using good = project({
    'cli/bin.ts': "import { start } from '../core/broker/a.ts'\nimport declared from 'declared'",
    'cli/bin.test.ts': "import '../core/worker/task.ts'\nimport tool from 'tool'",
    'core/broker/a.ts': "import type { B } from './b.ts'",
    'core/broker/b.ts': "import { a } from './a.ts'",
    'connectors/file/source.ts': "import { api } from 'millrace/connect'",
    'core/worker/task.ts': '',
  })
  // task.ts is not imported by an entry point. Only a test starts it.
  expect(violations(cruise(good.dir))).toEqual(['no orphans: core/worker/task.ts'])
})

test("every import of the project's files is in the graph that is checked", () => {
  const { modules } = cruise(root)
  const seen = new Map(modules.map(m => [m.source, new Set(m.dependencies.map(d => d.module))]))
  const missing: string[] = []
  for (const file of globSync('{core,connectors,transforms,converters,cli,bench,test,scripts}/**/*.ts', {
    cwd: root,
  })) {
    const text = readFileSync(join(root, file), 'utf8')
    for (const [, target] of text.matchAll(/^(?:import|export|\})[^'"`\n]*?(?:from )?'(\.\.?\/[^']+)'$/gm)) {
      if (!seen.get(file)?.has(target!)) missing.push(`${file}: ${target}`)
    }
  }
  expect(missing).toEqual([])
  expect(seen.size).toBeGreaterThan(500)
})
