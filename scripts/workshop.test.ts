/**
 * Checks files that no other test covers: the GitHub workflow, and the lists in CONTRIBUTING.md.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { AVOIDED } from './text/words.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

interface Workflow {
  readonly permissions: object
  readonly jobs: Record<string, { readonly steps: readonly { readonly uses?: string; readonly run?: string }[] }>
}

test('the GitHub workflow is valid YAML, may only read, uses no secret, and runs .ci/run', () => {
  const text = read('.github/workflows/ci.yml')
  const workflow = parse(text) as Workflow
  const steps = Object.values(workflow.jobs).flatMap(job => job.steps)
  expect(steps.filter(step => step.run === '.ci/run')).toHaveLength(1)
  for (const step of steps) expect([step.uses, step.run].filter(Boolean)).toHaveLength(1)
  expect(workflow.permissions).toEqual({ contents: 'read' })
  expect(text).not.toMatch(/secrets\.|upload-artifact/)
})

test('the section "Words to avoid" has every phrase that npm run lint reports, with a replacement', () => {
  const section = read('CONTRIBUTING.md').split('### Words to avoid')[1]!
  const avoid = [...section.matchAll(/^\| (.+?) \| (.+?) \|$/gm)].slice(2).map(([, words]) => words!)
  for (const { pattern } of AVOIDED)
    expect(
      avoid.some(words => pattern.test(words)),
      String(pattern),
    ).toBe(true)
  for (const words of avoid)
    expect(
      AVOIDED.some(({ pattern }) => pattern.test(words)),
      words,
    ).toBe(true)
})

test('every file and folder that the hand-written pages name exists', () => {
  const missing: string[] = []
  for (const page of ['ARCHITECTURE.md', 'CONTRIBUTING.md', 'docs/compatibility.md', 'docs/operations.md']) {
    for (const [, path] of read(page).matchAll(
      /`((?:core|connectors|transforms|converters|cli|bench|test|scripts|docs)\/[\w./*-]*)`/g,
    )) {
      if (/NN|NAME|\*/.test(path!)) continue
      if (!existsSync(join(root, path!))) missing.push(`${page}: ${path}`)
    }
  }
  expect(missing).toEqual([])
})

test('README, package.json and the checks at the start name the same versions of Node', () => {
  const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } }
  const installed = engines.node.replace('>=', '')
  expect(read('README.md')).toContain(`version ${installed} or newer`)
  expect(read('cli/bin.ts')).toContain(`Install Node ${installed} or newer`)
  const clone = /Node\.js (\d+) or newer, npm/.exec(read('README.md'))![1]!
  expect(read('scripts/bootstrap.mjs')).toContain(`Install Node ${clone} or newer`)
  expect(read('CONTRIBUTING.md')).toContain(`Node.js ${clone} or newer`)
})
