import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { declaredErrors } from '../../core/common/errors/error-table.ts'
import { cell } from './render.ts'

/** `docs/errors.md`: the rows of every error table in the sources. */
export async function errorsPage(root: string): Promise<[path: string, text: string]> {
  for (const path of globSync('{core,connectors,transforms,converters,cli}/**/*.ts', { cwd: root })) {
    if (/\.test\.ts$|test-support|golden/.test(path)) continue
    if (readFileSync(join(root, path), 'utf8').includes('defineErrors({')) await import(join(root, path))
  }
  const rows = [...declaredErrors()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, row]) => `| \`${code}\` | ${cell(row.message)} | ${cell(row.fix)} | ${row.retriable ? 'yes' : ''} |`)
  const head = [
    '# Errors\n',
    'Every error has a stable code, which stands in `[...]` at its end. Names in braces are filled in. "Passes": the same may',
    'succeed later, and the platform tries again by itself.\n',
    '| code | what failed | what to do | passes |',
    '| --- | --- | --- | --- |',
  ]
  return ['docs/errors.md', [...head, ...rows, ''].join('\n')]
}
