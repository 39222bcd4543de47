import type { ConfigDef } from '../../core/common/config/define.ts'

/** A text as a cell of a Markdown table. */
export const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('’', "'")

/** What the declarations say of keys that are accepted and change nothing. */
const IDLE = /\b(Not used(?! in standalone)|Accepted for compatibility|Accepted and not needed|Accepted;)/
/** Their own sentence, which goes to the front. */
const SAID = / ?\b(No effect[^.]*\.)/

function whatItDoes(documentation: string, idle: boolean): string {
  const said = SAID.exec(documentation)
  if (said) return `*${said[1]}* ${documentation.replace(SAID, '')}`
  return idle || IDLE.test(documentation) ? `*No effect.* ${documentation}` : documentation
}

const LONG_MAX = 2 ** 63

function defaultCell(value: unknown): string {
  if (value === undefined) return '**required**'
  if (value === null || value === '' || (Array.isArray(value) && value.length === 0)) return ''
  if (typeof value === 'number' && value >= LONG_MAX) return value === LONG_MAX ? 'no limit' : 'none'
  return `\`${cell(String(value))}\``
}

/** The keys of a declaration as a table. A validator that describes itself as "required" stands for a missing default. */
export function keysTable(config: ConfigDef): string {
  const keys = Object.entries(config).filter(([, key]) => !key.internal)
  if (keys.length === 0) return 'It has no keys of its own.\n'
  const rows = keys.map(([name, key]) => {
    const [, required, rest] = /^(required)?(?:, )?(.*)$/s.exec(key.validator?.describe ?? '') ?? []
    const valid = rest ? ` Valid: ${cell(rest)}.` : ''
    const byDefault = required ? '**required**' : defaultCell(key.default)
    return `| \`${name}\` | ${key.type.toLowerCase()} | ${byDefault} | ${key.importance.toLowerCase()} | ${cell(whatItDoes(key.documentation, key.noEffect !== undefined))}${valid} |`
  })
  const head = ['| key | type | default | importance | what it does |', '| --- | --- | --- | --- | --- |']
  return [...head, ...rows, ''].join('\n')
}
