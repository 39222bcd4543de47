import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { ConfigDef } from '../../core/common/config/define.ts'
import { keysTable, wrapped } from './render.ts'

interface PluginEntry {
  type: string
  class: string
  aliases?: string[]
  module: string
  export: string
}

const DIFFERENCES = /<!-- differences -->[\s\S]*?<!-- end differences -->/
const MARK = /<!-- keys -->[\s\S]*?<!-- end keys -->/

function manifestOf(root: string, folder: string): PluginEntry[] {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'plugins.json'), 'utf8')) as { plugins: PluginEntry[] }
  return manifest.plugins
}

const sourceOf = (root: string, folder: string, entry: PluginEntry) =>
  join(root, folder, entry.module.replace(/\.js$/, '.ts'))

async function configOf(root: string, folder: string, entry: PluginEntry): Promise<ConfigDef> {
  const module = (await import(sourceOf(root, folder, entry))) as Record<string, new () => { config: ConfigDef }>
  return new module[entry.export]!().config
}

/** Returns the text of a class's doc comment, without the Java name at its beginning. */
function introduction(root: string, folder: string, entry: PluginEntry): string {
  const java = entry.aliases?.find(alias => alias.includes('.'))?.replace(/\$.*$/, '') ?? entry.class
  for (const [, raw] of readFileSync(sourceOf(root, folder, entry), 'utf8').matchAll(/\/\*\*([\s\S]*?)\*\//g)) {
    const text = raw!.replace(/\n\s*\* ?/g, ' ').trim()
    if (!text.startsWith(java) || /[\w.]/.test(text[java.length] ?? '')) continue
    const said = text.slice(java.length).replace(/^(\$Key and \$Value)?[:,.]\s*/, '')
    return said === '' ? '' : `${wrapped(`${said[0]!.toUpperCase()}${said.slice(1)}`)}\n\n`
  }
  throw new Error(`${folder}: the doc comment of ${entry.class} must begin with ${java}`)
}

/**
 * Merges the manifest entries of the same class: `$Key` and `$Value` of a transformation, or the
 * two uses of a converter, for records and for headers.
 */
function families(entries: readonly PluginEntry[]): PluginEntry[] {
  const seen = new Map<string, PluginEntry>()
  for (const entry of entries) {
    const name = entry.class.replace(/\$(Key|Value)$/, '')
    const names = [entry.class, ...(entry.aliases ?? [])]
    const known = seen.get(name)
    if (known) known.aliases = [...new Set([...known.aliases!, ...names])]
    else seen.set(name, { ...entry, class: name, aliases: names })
  }
  return [...seen.values()]
}

const code = (names: readonly string[]) => [...new Set(names)].map(name => `\`${name}\``).join(', ')

/** A row of a connector's published list of differences from the connector that it replaces. */
interface Difference {
  readonly what: string
  readonly debezium: string
  readonly here: string
}

/**
 * Returns the README. Its list of differences, if it has one, comes from the list that the tests
 * check.
 */
async function withDifferences(root: string, folder: string, readme: string): Promise<string> {
  const [source] = globSync(`${folder}/golden/**/deviations.ts`, { cwd: root })
  if (DIFFERENCES.test(readme) !== (source !== undefined)) {
    const mark = '<!-- differences --> ... <!-- end differences -->'
    throw new Error(`${folder} must have both golden/**/deviations.ts and ${mark} in its README, or neither`)
  }
  if (source === undefined) return readme
  const { DEVIATIONS } = (await import(join(root, source))) as { DEVIATIONS: readonly Difference[] }
  const rows = DEVIATIONS.map(d => `| ${d.what} | ${d.debezium} | ${d.here} |`)
  const table = ['| what | Debezium | here |', '| --- | --- | --- |', ...rows].join('\n')
  return readme.replace(DIFFERENCES, () => `<!-- differences -->\n${table}\n<!-- end differences -->`)
}

/** Returns the page of each connector: its README, with the table of its keys inserted. */
export async function connectorPages(root: string): Promise<[path: string, text: string][]> {
  const pages: [string, string][] = []
  for (const path of globSync('connectors/*/plugins.json', { cwd: root }).sort()) {
    const folder = dirname(path)
    const readme = await withDifferences(root, folder, readFileSync(join(root, folder, 'README.md'), 'utf8'))
    pages.push([`${folder}/README.md`, readme])
    if (!MARK.test(readme)) throw new Error(`${folder}/README.md has no <!-- keys --> ... <!-- end keys -->`)
    const parts = ['[Other keys](../worker.md#every-connector) apply to every connector.\n']
    for (const entry of manifestOf(root, folder)) {
      const names = code([entry.class, ...(entry.aliases ?? [])])
      const table = keysTable(await configOf(root, folder, entry))
      parts.push(`### ${entry.class}\n\n${wrapped(`\`connector.class\`: ${names}`)}\n\n${table}`)
    }
    pages.push([`docs/connectors/${basename(folder)}.md`, readme.replace(MARK, () => parts.join('\n').trimEnd())])
  }
  return pages
}

const KINDS: Readonly<Record<string, string>> = {
  transformation: 'Transformations',
  predicate: 'Predicates',
  converter: 'Converters of keys, values and headers',
  header_converter: 'Converters of headers only',
}

/**
 * Returns the pages of transformations and converters: the folder's README, then each class with
 * its keys.
 */
export async function folderPages(root: string): Promise<[path: string, text: string][]> {
  const pages: [string, string][] = []
  for (const folder of ['transforms', 'converters']) {
    const parts = [readFileSync(join(root, folder, 'README.md'), 'utf8')]
    let kind = ''
    for (const entry of families(manifestOf(root, folder))) {
      if (entry.type !== kind) parts.push(`## ${KINDS[(kind = entry.type)]}\n`)
      const table = keysTable(await configOf(root, folder, entry))
      parts.push(
        `### ${entry.class}\n\n${introduction(root, folder, entry)}${wrapped(code(entry.aliases!))}\n\n${table}`,
      )
    }
    pages.push([`docs/${folder}.md`, parts.join('\n')])
  }
  return pages
}
