/**
 * `npm run check-commits [-- BASE]` checks the messages of the commits after BASE. The default is
 * MILLRACE_COMMIT_BASE, which the GitHub workflow sets, or else origin/main. Without a base, it
 * checks the last commit.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { faultsOf } from './commits/message.ts'

const cwd = join(import.meta.dirname, '..')
const git = (...args: string[]) => spawnSync('git', args, { cwd, encoding: 'utf8' })

const base = process.argv[2] ?? (process.env['MILLRACE_COMMIT_BASE'] || 'origin/main')
const isKnown = git('merge-base', '--is-ancestor', base, 'HEAD').status === 0
const log = git('log', '--no-merges', '--format=%h %B%x00', ...(isKnown ? [`${base}..HEAD`] : ['-1']))
if (log.status !== 0) {
  console.error(`git log failed: ${log.stderr.trim()}`)
  process.exit(1)
}
let wrong = 0
const commits = log.stdout
  .split('\0')
  .map(text => text.trim())
  .filter(text => text !== '')
for (const commit of commits) {
  const space = commit.indexOf(' ')
  const message = commit.slice(space + 1)
  for (const fault of faultsOf(message)) {
    console.error(`${commit.slice(0, space)} ${message.split('\n')[0]}\n  ${fault}`)
    wrong++
  }
}
console.error(`commits: ${commits.length} checked, ${wrong} faults`)
process.exit(wrong > 0 ? 1 : 0)
