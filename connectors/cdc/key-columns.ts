import { anchored } from './patterns.ts'
import { qualified, type TableName } from './topic-naming.ts'

const RULE = /^\s*([^:]+):([^:,]+(?:,[^:,]+)*)\s*$/

/** Returns what is wrong with `message.key.columns`, or null if its value is valid. */
export function wrongKeyColumns(text: string): string | null {
  for (const rule of text.split(';').filter(r => r.trim() !== '')) {
    const m = RULE.exec(rule)
    if (!m) return `'${rule.trim()}' must look like <schema>.<table>:<column>,<column>`
    try {
      anchored(m[1]!.trim())
    } catch (error) {
      return `'${m[1]}' is not a valid regular expression: ${(error as Error).message}`
    }
  }
  return null
}

/**
 * The rules of `message.key.columns`: which columns form a record's key instead of the primary key.
 */
export class KeyColumns {
  readonly #rules: readonly RegExp[]

  constructor(text: string | null) {
    this.#rules = (text ?? '')
      .split(';')
      .filter(r => r.trim() !== '')
      .flatMap(rule => {
        const [table, columns] = rule.split(/:(.*)/s) as [string, string]
        return columns.split(',').map(c => anchored(`${table.trim()}.${c.trim()}`))
      })
  }

  /** Returns the key columns in the order of the rules, or null if no rule matches the table. */
  keyOf(table: TableName, columns: readonly string[]): string[] | null {
    const id = qualified(table)
    const chosen = this.#rules.flatMap(rule => columns.filter(c => rule.test(`${id}.${c}`)))
    return chosen.length === 0 ? null : [...new Set(chosen)]
  }
}
