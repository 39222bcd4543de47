import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { declaredErrors } from '../../core/common/errors/error-table.ts'
import { cell } from './render.ts'

/** Returns `docs/errors.md`, with the rows of every error table in the sources. */
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
    'Every error message ends with a stable code in brackets, such as `[MR_CLI_PORT_TAKEN]`. In this table, names in braces',
    'stand for values. Millrace retries operations that fail with a retriable error.\n',
    '| code | what failed | what to do | retriable |',
    '| --- | --- | --- | --- |',
  ]
  return ['docs/errors.md', [...head, ...rows, ''].join('\n')]
}
