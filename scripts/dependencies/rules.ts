import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { IForbiddenRuleType } from 'dependency-cruiser'

/** The modules that production code may import, apart from its own module and npm packages. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'core/common': [],
  'core/protocol': ['core/common'],
  'core/client': ['core/common', 'core/protocol'],
  'core/broker': ['core/common', 'core/protocol'],
  'core/connect': ['core/common'],
  'core/worker': ['core/common', 'core/client', 'core/connect'],
  'core/testing': ['core/common', 'core/client', 'core/connect', 'core/broker', 'core/worker'],
  'connectors/cdc': ['millrace/connect'],
  'connectors/file': ['millrace/connect'],
  'connectors/elasticsearch': ['millrace/connect'],
  'connectors/postgres': ['millrace/connect', 'connectors/cdc'],
  transforms: ['millrace/connect'],
  converters: ['millrace/connect'],
  cli: ['core/common', 'core/broker', 'core/worker'],
}

/** The files behind `millrace/connect` and `millrace/connect/java`, which plugins import. */
const PLUGIN_API = '^core/connect/(index|java)\\.ts$'
const PLUGINS = '^(connectors|transforms|converters)/'
const PRODUCTION = '^(core|connectors|transforms|converters|cli)/'
/** Tests may import everything, because they start the systems that they compare with. */
const TEST_CODE = '\\.test\\.ts$|/(test-support|golden)/'
/** Tools and tests of the whole product. They may import everything. */
const TOOLS = '^(test|bench|scripts)/'

const pathsOf = (name: string) => (name === 'millrace/connect' ? PLUGIN_API : `^${name}/`)

/**
 * Returns the production files that no other file imports: the command, the public API, threads,
 * and the plugins that the manifests name.
 */
export function entryPoints(root: string): string[] {
  const files = [
    'cli/bin.ts',
    'core/connect/index.ts',
    'core/connect/java.ts',
    'core/client/index.ts',
    'core/testing/index.ts',
    'core/testing/broker-process.ts',
    'core/worker/task/host/thread-main.ts',
    'core/broker/log/validation/check-thread.ts',
  ]
  for (const manifest of globSync('{connectors/*,transforms,converters}/plugins.json', { cwd: root })) {
    const { plugins } = JSON.parse(readFileSync(join(root, manifest), 'utf8')) as { plugins: { module: string }[] }
    for (const { module } of plugins) files.push(join(dirname(manifest), module).replace(/\.js$/, '.ts'))
  }
  return [...new Set(files)]
}

/** Returns the rules for a project with these entry points. */
export function forbidden(entries: readonly string[]): IForbiddenRuleType[] {
  const entry = entries.map(file => `^${file.replaceAll('.', '\\.')}$`)
  const production = { path: PRODUCTION, pathNot: TEST_CODE }
  const modules = Object.entries(ALLOWED).map(
    ([name, allowed]): IForbiddenRuleType => ({
      name: `${name} imports only ${allowed.length === 0 ? 'itself' : allowed.join(', ')}`,
      severity: 'error',
      from: { path: `^${name}/`, pathNot: TEST_CODE },
      to: {
        path: `${PRODUCTION}|${TOOLS}`,
        pathNot: [`^${name}/`, ...allowed.map(pathsOf)],
      },
    }),
  )
  return [
    ...modules,
    {
      name: 'every file belongs to a known module',
      comment: 'Add a new module to scripts/dependencies/rules.ts, with what it may import.',
      severity: 'error',
      from: { pathNot: [TOOLS, ...Object.keys(ALLOWED).map(name => `^${name}/`)], path: PRODUCTION },
      to: {},
    },
    {
      name: 'plugins import the plugin API by name',
      comment: "Write 'millrace/connect', as a third party does, not a relative path.",
      severity: 'error',
      from: { path: PLUGINS, pathNot: TEST_CODE },
      to: { path: '^core/', dependencyTypes: ['local'] },
    },
    {
      name: 'production code does not import test code',
      severity: 'error',
      from: production,
      to: { path: [TEST_CODE, TOOLS] },
    },
    {
      name: 'no cycles at run time',
      comment: 'A cycle is allowed if one of its imports is of types only: it does not exist at run time.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no orphans',
      comment: 'No entry point imports this file, directly or through others. Delete it, or add its entry point.',
      severity: 'error',
      from: { path: entry },
      to: { path: PRODUCTION, pathNot: [TEST_CODE, ...entry], reachable: false },
    },
    {
      name: 'production code does not import devDependencies',
      severity: 'error',
      from: production,
      to: { dependencyTypes: ['npm-dev'] },
    },
    {
      name: 'packages are declared in package.json',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'imports can be resolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ]
}
