import type { ConfigKey, Validator } from '../../core/connect/index.ts'

/** `replace.null.with.default`, which most transformations have. */
export const replaceNullKey = {
  type: 'BOOLEAN',
  default: true,
  importance: 'MEDIUM',
  documentation: 'Whether a null in a field with a default counts as the default.',
} as const satisfies ConfigKey

/** `field.syntax.version`: whether a dot in a field's name is a step into a nested struct. */
export const fieldSyntaxKey = {
  type: 'STRING',
  default: 'V1',
  importance: 'HIGH',
  documentation:
    'How fields are named. V1: only outermost ones, a dot being part of the name. V2: nested ones too: dots separate names, backticks keep a name with dots together.',
  validator: {
    describe: 'one of V1, V2',
    values: ['V1', 'V2'],
    check: value => (/^v[12]$/i.test(String(value)) ? null : 'String must be one of (case insensitive): V1, V2'),
  },
} as const satisfies ConfigKey

/** A list with at least one item. */
export const nonEmptyList = {
  describe: 'non-empty list',
  check: (value: unknown) => (Array.isArray(value) && value.length === 0 ? 'Empty list' : null),
}

function faultyNames(value: unknown): string | null {
  const names = Array.isArray(value) ? (value as string[]) : []
  if (names.some(name => name.trim() === '')) return 'Values must not be empty'
  return new Set(names).size < names.length ? 'Values must not be duplicated' : null
}

/** A list of names, each once. */
export const distinctNamesIfAny: Validator = { describe: 'list of distinct names', check: faultyNames }

/** A list of names, each once, at least one. */
export const distinctNames: Validator = {
  describe: 'non-empty list of distinct names',
  check: value => nonEmptyList.check(value) ?? faultyNames(value),
}
