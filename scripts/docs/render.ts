import type { ConfigDef, ConfigKey } from '../../core/common/config/define.ts'

/** Escapes text for a cell of a Markdown table. */
export const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('’', "'")

/** Wraps a paragraph into lines of at most 120 columns. */
export function wrapped(text: string): string {
  const lines: string[] = []
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1)
    if (line === undefined || line.length + 1 + word.length > 120) lines.push(word)
    else lines[lines.length - 1] = `${line} ${word}`
  }
  return lines.join('\n')
}

const LONG_MAX = 2 ** 63

function defaultCell(value: ConfigKey['default']): string {
  if (value === undefined) return '**required**'
  if (value === null || value === '' || (Array.isArray(value) && value.length === 0)) return ''
  if (typeof value === 'number' && value >= LONG_MAX) return value === LONG_MAX ? 'no limit' : 'none'
  return `\`${cell(String(value))}\``
}

function rowOf(name: string, key: ConfigKey, withOptions: boolean): string {
  // A key is also required if the description of its validator says so.
  const [, required, valid] = /^(required)?(?:, )?(.*)$/s.exec(key.validator?.describe ?? '') ?? []
  const idle = key.noEffect === undefined ? '' : `*No effect: ${key.noEffect}* `
  const cells = [
    `\`${name}\``,
    ...(withOptions ? [key.option ? `\`${key.option}\`` : ''] : []),
    key.type.toLowerCase(),
    required ? '**required**' : defaultCell(key.default),
    key.importance.toLowerCase(),
    cell(idle + key.documentation + (valid ? ` Valid: ${valid}.` : '')),
  ]
  return `| ${cells.join(' | ')} |`
}

/**
 * Returns a Markdown table of the keys of a declaration. The column `option` has the names of the
 * keys in programs, and is omitted if no key has such a name.
 */
export function keysTable(config: ConfigDef): string {
  const keys = Object.entries(config).filter(([, key]) => !key.internal)
  if (keys.length === 0) return 'It has no keys.\n'
  const withOptions = keys.some(([, key]) => key.option !== undefined)
  const columns = ['key', ...(withOptions ? ['option'] : []), 'type', 'default', 'importance', 'description']
  const head = [`| ${columns.join(' | ')} |`, `| ${columns.map(() => '---').join(' | ')} |`]
  return [...head, ...keys.map(([name, key]) => rowOf(name, key, withOptions)), ''].join('\n')
}
