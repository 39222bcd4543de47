/**
 * Writes what the documentation takes from declarations: a page for each connector (`docs/connectors/`), transforms and
 * converters, from its README and its `config`; and `docs/errors.md` from the error tables. With `--check` it writes nothing and
 * exits 1 where a page is not up to date.
 */
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { ConfigDef } from '../core/common/config/define.ts'
import { declaredErrors } from '../core/common/errors/error-table.ts'

const root = join(import.meta.dirname, '..')
const check = process.argv.includes('--check')
const pages = new Map<string, string>()

interface PluginEntry {
  type: string
  class: string
  aliases?: string[]
  module: string
  export: string
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

function keysTable(config: ConfigDef): string {
  const rows = Object.entries(config)
    .filter(([, key]) => !key.internal)
    .map(([name, key]) => {
      const byDefault =
        key.default === undefined
          ? '**required**'
          : key.default === null || key.default === ''
            ? ''
            : `\`${String(key.default)}\``
      const valid = key.validator ? ` Valid: ${cell(key.validator.describe)}.` : ''
      return `| \`${name}\` | ${key.type.toLowerCase()} | ${byDefault} | ${key.importance.toLowerCase()} | ${cell(key.documentation)}${valid} |`
    })
  if (rows.length === 0) return 'It has no keys of its own.\n'
  return ['| key | type | default | importance | what it does |', '| --- | --- | --- | --- | --- |', ...rows, ''].join(
    '\n',
  )
}

function manifestOf(folder: string): PluginEntry[] {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
    millrace: { plugins: PluginEntry[] }
  }
  return manifest.millrace.plugins
}

async function configOf(folder: string, entry: PluginEntry): Promise<ConfigDef> {
  const module = (await import(join(root, folder, entry.module.replace(/\.js$/, '.ts')))) as Record<
    string,
    new () => { config: ConfigDef }
  >
  return new module[entry.export]!().config
}

/** One line an alias family: `$Key` and `$Value` of one class share their module and keys. */
function unique(entries: readonly PluginEntry[]): PluginEntry[] {
  const seen = new Map<string, PluginEntry>()
  for (const entry of entries) {
    const name = entry.class.replace(/\$(Key|Value)$/, '')
    const known = seen.get(name)
    if (known) known.aliases = [...(known.aliases ?? []), ...(entry.aliases ?? [])]
    else seen.set(name, { ...entry, class: name })
  }
  return [...seen.values()]
}

async function connectorPages(): Promise<void> {
  for (const path of globSync('connectors/*/package.json', { cwd: root })) {
    const folder = dirname(path)
    let page = readFileSync(join(root, folder, 'README.md'), 'utf8')
    const tables: string[] = []
    for (const entry of manifestOf(folder)) {
      const names = [entry.class, ...(entry.aliases ?? [])].map(n => `\`${n}\``).join(', ')
      tables.push(`### ${entry.class}\n\n\`connector.class\`: ${names}\n\n${keysTable(await configOf(folder, entry))}`)
    }
    page = page.includes('<!-- keys -->')
      ? page.replace('<!-- keys -->', () => tables.join('\n'))
      : `${page}\n## Keys\n\n${tables.join('\n')}`
    pages.set(`docs/connectors/${basename(folder)}.md`, page)
  }
}

async function pluginPages(): Promise<void> {
  for (const folder of ['transforms', 'converters']) {
    if (!existsSync(join(root, folder, 'package.json'))) continue
    const title = folder[0]!.toUpperCase() + folder.slice(1)
    const readme = join(root, folder, 'README.md')
    const parts = [existsSync(readme) ? readFileSync(readme, 'utf8') : `# ${title}\n`]
    for (const entry of unique(manifestOf(folder))) {
      const names = [...new Set([entry.class, ...(entry.aliases ?? [])])].map(n => `\`${n}\``).join(', ')
      parts.push(`## ${entry.class}\n\n${entry.type}: ${names}\n\n${keysTable(await configOf(folder, entry))}`)
    }
    pages.set(`docs/${folder}.md`, parts.join('\n'))
  }
}

async function errorsPage(): Promise<void> {
  for (const path of globSync('{core,connectors,transforms,converters,cli}/**/*.ts', { cwd: root })) {
    if (/\.test\.ts$|test-support|golden/.test(path)) continue
    if (readFileSync(join(root, path), 'utf8').includes('defineErrors({')) await import(join(root, path))
  }
  const rows = [...declaredErrors()]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([code, row]) => `| \`${code}\` | ${cell(row.message)} | ${cell(row.fix)} | ${row.retriable ? 'yes' : ''} |`)
  const head =
    '# Errors\n\nEvery error has a stable code. "Retriable": the same may succeed later, and the platform tries again by itself.\n'
  pages.set(
    'docs/errors.md',
    [head, '| code | what failed | what to do | retriable |', '| --- | --- | --- | --- |', ...rows, ''].join('\n'),
  )
}

await connectorPages()
await pluginPages()
await errorsPage()

let stale = 0
for (const [path, text] of pages) {
  const file = join(root, path)
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
  stale++
  if (check) console.error(`${path} is not up to date: npm run docs`)
  else {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    console.error(`wrote ${path}`)
  }
}
process.exit(check && stale > 0 ? 1 : 0)
