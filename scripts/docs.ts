/**
 * Writes the generated pages of `docs/`: connectors, transformations and converters from their
 * READMEs, doc comments and declarations; settings from their declarations; errors from their
 * tables. With `--check`, it writes nothing, and exits with code 1 if a page is out of date or a
 * link is broken.
 */
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { errorsPage } from './docs/errors-page.ts'
import { brokenLinks } from './docs/links.ts'
import { metricsPage } from './docs/metrics-page.ts'
import { connectorPages, folderPages } from './docs/plugin-pages.ts'
import { settingsPages } from './docs/settings-pages.ts'

const root = join(import.meta.dirname, '..')
const check = process.argv.includes('--check')
const pages = [
  ...(await connectorPages(root)),
  ...(await folderPages(root)),
  ...settingsPages(),
  await errorsPage(root),
  metricsPage(root),
]
const faults: string[] = []

for (const [path, text] of pages) {
  const file = join(root, path)
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
  if (check) faults.push(`${path} is out of date: run \`npm run docs\``)
  else {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    console.error(`wrote ${path}`)
  }
}
for (const path of globSync('docs/connectors/*.md', { cwd: root })) {
  if (!pages.some(([known]) => known === path)) faults.push(`${path} has no connector: delete it`)
}
faults.push(...brokenLinks(root))
for (const fault of faults) console.error(fault)
process.exit(faults.length > 0 ? 1 : 0)
