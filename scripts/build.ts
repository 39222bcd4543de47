/** Compiles to `dist/` and puts beside it what is not compiled: the manifests by which built-in plugins are found. */
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')

const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
})
if (tsc.status !== 0) process.exit(tsc.status ?? 1)

try {
  for (const manifest of globSync(['connectors/*/package.json', 'transforms/package.json', 'converters/package.json'], {
    cwd: root,
  })) {
    mkdirSync(join(dist, dirname(manifest)), { recursive: true })
    cpSync(join(root, manifest), join(dist, manifest))
  }
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
