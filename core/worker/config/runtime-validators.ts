import type { Validator } from '../../common/config/define.ts'

const NULL_LIST = 'entry must be non null'

/** Accepts connector names, with the same rules and messages as Connect. */
export const connectorName: Validator = {
  describe: 'non-empty string without control characters',
  ofNull: 'Value must be non-null',
  check(value) {
    if (value === null) return null
    const text = String(value)
    if (text === '') return 'String may not be empty'
    if (!text.isWellFormed()) return 'String may not contain half of a surrogate pair'
    const control = [...text].filter(c => c.charCodeAt(0) < 32 || c.charCodeAt(0) === 127)
    if (control.length === 0) return null
    const codes = control.map(c => c.charCodeAt(0)).join(', ')
    return `String may not contain control sequences but had the following ASCII chars: ${codes}`
  },
}

/** Accepts aliases of topic creation groups. Duplicates are rejected. */
export const distinctGroups: Validator = {
  describe: 'list of distinct aliases',
  ofNull: NULL_LIST,
  check(value) {
    const aliases = (value as string[] | null) ?? []
    return new Set(aliases).size === aliases.length ? null : 'Duplicate alias provided.'
  },
}

/** Accepts aliases of transformations or predicates. Duplicates and empty aliases are rejected. */
export const distinctAliases: Validator = {
  describe: 'list of distinct, non-empty aliases',
  ofNull: NULL_LIST,
  check(value, name) {
    const aliases = (value as string[] | null) ?? []
    return distinctGroups.check(value, name) ?? (aliases.includes('') ? 'Empty alias provided.' : null)
  },
}
