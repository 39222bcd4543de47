/** Compiles to `dist/` and copies the manifests of the built-in plugins there. */
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')

const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
})
if (tsc.status !== 0) process.exit(tsc.status ?? 1)

try {
  // An earlier version copied package.json files here. They would hide the program's package.json.
  for (const old of globSync('{connectors/*,transforms,converters}/package.json', { cwd: dist }))
    rmSync(join(dist, old))
  for (const manifest of globSync(['connectors/*/plugins.json', 'transforms/plugins.json', 'converters/plugins.json'], {
    cwd: root,
  })) {
    mkdirSync(join(dist, dirname(manifest)), { recursive: true })
    cpSync(join(root, manifest), join(dist, manifest))
  }
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
