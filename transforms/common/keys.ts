import { type ConfigKey, distinctItems } from 'millrace/connect'

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
    ofNull: 'String must be one of (case insensitive): V1, V2',
    check: value => (/^v[12]$/i.test(String(value)) ? null : 'String must be one of (case insensitive): V1, V2'),
  },
} as const satisfies ConfigKey

/** A list with at least one item. */
export const nonEmptyList = {
  describe: 'non-empty list',
  ofNull: 'Empty list',
  check: (value: unknown) => (Array.isArray(value) && value.length === 0 ? 'Empty list' : null),
}

/** A list of names, each once. */
export const distinctNamesIfAny = distinctItems({ allowEmpty: true })

/** A list of names, each once, at least one. */
export const distinctNames = distinctItems({ allowEmpty: false })
