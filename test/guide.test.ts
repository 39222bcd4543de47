/**
 * Checks that the code in docs/writing-a-plugin.md is the code of the examples, that its
 * configurations have the keys of the examples, and that its JavaScript runs.
 */
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SourceConnector } from 'millrace/connect'
import { SourceHarness } from 'millrace/testing'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const guide = readFileSync(join(root, 'docs/writing-a-plugin.md'), 'utf8')

interface Block {
  /** The comment before the block, such as `example: http-source/src/task.ts`. */
  readonly origin: string
  readonly language: string
  readonly text: string
}

const blocks: readonly Block[] = [...guide.matchAll(/(?:<!-- ([^>]*?) -->\n)?```(\w+)\n([\s\S]*?)```/g)].map(
  ([, origin = '', language, text]) => ({ origin, language: language!, text: text! }),
)
const from = (kind: string) =>
  blocks.filter(b => b.origin.startsWith(`${kind}:`)).map(b => ({ ...b, name: b.origin.slice(kind.length + 2) }))
const example = (path: string) => readFileSync(join(root, 'examples', path), 'utf8')

test('every block of code names its origin', () => {
  const unnamed = blocks.filter(b => ['ts', 'js', 'json'].includes(b.language) && b.origin === '')
  expect(unnamed).toEqual([])
  expect(from('example').length).toBeGreaterThan(10)
})

test.each(from('example').filter(b => b.language === 'ts'))(
  'a block of TypeScript in the guide is part of $name',
  ({ name, text }) => {
    expect(example(name)).toContain(text)
  },
)

test.each(from('example').filter(b => b.language === 'json'))(
  'a block of JSON in the guide is part of $name',
  block => {
    expect(JSON.parse(example(block.name))).toMatchObject(JSON.parse(block.text))
  },
)

test.each(from('config'))('the configuration for $name has the keys of the example', async ({ name, text }) => {
  const body = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)) as { config: object }
  const keys = Object.keys(body.config).filter(key => !['connector.class', 'topics'].includes(key))
  const source = name === 'built-in' ? '../connectors/file/config.ts' : `${name}/src/config.ts`
  for (const key of keys) expect(example(source)).toMatch(new RegExp(`^  '?${key}'?[:,]`, 'm'))
})

test('npm scripts and commands that the guide names exist', () => {
  const scripts = Object.keys((JSON.parse(example('http-source/package.json')) as { scripts: object }).scripts)
  for (const [, script] of guide.matchAll(/npm run (\w+)/g)) expect([...scripts, 'build']).toContain(script)
})

test('the source in plain JavaScript runs', async () => {
  const [block] = blocks.filter(b => b.origin === 'javascript')
  const dir = mkdtempSync(join(tmpdir(), 'millrace-guide-'))
  try {
    // The plugin imports an absolute path instead of the package name, so that the plugin and this
    // test share the same instances of the modules.
    const api = join(root, 'core/connect/index.ts')
    writeFileSync(join(dir, 'clock.mjs'), block!.text.replace("'millrace/connect'", JSON.stringify(api)))
    symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'))
    const module = (await import(join(dir, 'clock.mjs'))) as { ClockSource: new () => SourceConnector }
    await using source = new SourceHarness(module.ClockSource, { config: { topic: 'ticks', 'every.ms': '5' } })
    await source.start()
    expect((await source.take(3)).slice(0, 3).map(r => r.value)).toEqual([1, 2, 3])
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})
