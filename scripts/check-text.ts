/**
 * `npm run lint` uses this script to check the text of the project: comments end by column 100,
 * Markdown by column 120, and no sentence uses a phrase that CONTRIBUTING.md says to avoid. If it
 * gets paths, it checks only these files. List a literal use of such a phrase in
 * scripts/text/exceptions.ts.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { check, unused } from './text/check.ts'
import { EXCEPTIONS } from './text/exceptions.ts'

/** Files that are not checked: text from other software, and the list of phrases. */
const FOREIGN =
  /(?:^|\/)(?:golden\/.*\.json|fixtures\/.*|package-lock\.json|LICENSE)$|^scripts\/text\/(?:words|exceptions|text\.test)\.ts$/
const TEXT = /\.(?:ts|mjs|js|md|sh|java|yml|properties)$|^\.ci\/run$|\/generate$/

const root = join(import.meta.dirname, '..')
const paths = process.argv.slice(2)
const all = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...(paths.length > 0 ? paths : ['.'])],
  {
    cwd: root,
    encoding: 'utf8',
  },
)
const files = all.split('\n').filter(file => TEXT.test(file) && !FOREIGN.test(file) && existsSync(join(root, file)))
const read = (file: string) => (existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : null)

const faults = files.flatMap(file => check(file, read(file)!, EXCEPTIONS))
for (const { file, line, message } of faults) console.error(`${file}:${line}: ${message}`)
const leftOver = unused(EXCEPTIONS, read)
for (const { file, text } of leftOver)
  console.error(`scripts/text/exceptions.ts: ${file} no longer contains "${text}": delete the exception`)
process.exit(faults.length + leftOver.length > 0 ? 1 : 0)
