import type { ConfigKey } from '../../core/connect/index.ts'

/** `replace.null.with.default`, which most transformations have. */
export const replaceNullKey = {
  type: 'BOOLEAN',
  default: true,
  importance: 'MEDIUM',
  documentation:
    'Whether to replace fields that have a default value and that are null to the default value. When set to true, the default value is used, otherwise null is used.',
} as const satisfies ConfigKey

/** `field.syntax.version`: whether a dot in a field's name is a step into a nested struct. */
export const fieldSyntaxKey = {
  type: 'STRING',
  default: 'V1',
  importance: 'HIGH',
  documentation:
    'Defines the version of the syntax to access fields. If set to V1, then the field paths are limited to access the elements at the root level of the struct or map. If set to V2, the syntax will support accessing nested elements: dots separate names, backticks keep a name with dots together.',
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
