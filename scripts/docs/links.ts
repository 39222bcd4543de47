import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Returns the anchor that GitHub gives to a heading. */
const anchor = (heading: string) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')

/** Returns the relative links in the documentation whose file or heading does not exist. */
export function brokenLinks(root: string): string[] {
  const faults: string[] = []
  const pages = globSync('{*.md,docs/**/*.md,{connectors,transforms,converters}/**/*.md}', { cwd: root })
  for (const page of pages.filter(p => !p.includes('node_modules'))) {
    for (const [, target] of readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue
      const [path = '', hash] = target!.split('#')
      const file = path === '' ? join(root, page) : join(root, dirname(page), path)
      if (!existsSync(file)) faults.push(`${page}: the file of the link ${target} does not exist`)
      else if (hash && !headings(file).has(hash)) faults.push(`${page}: ${path || 'it'} has no heading for #${hash}`)
    }
  }
  return faults
}

function headings(file: string): Set<string> {
  return new Set([...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, text]) => anchor(text!)))
}
