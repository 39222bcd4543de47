import { distinctItems, key, oneOf, type Validator } from 'millrace/connect'

/** The key `replace.null.with.default`, which most transformations have. */
export const replaceNullKey = key.boolean({
  default: true,
  importance: 'MEDIUM',
  documentation:
    'How the transformation reads a null in a field with a default value. true: as the default value. false: as null.',
})

/** The key `field.syntax.version`, which determines how the names of nested fields are written. */
export const fieldSyntaxKey = key.string({
  default: 'V1',
  validator: oneOf(['V1', 'V2'], { ignoreCase: true }),
  importance: 'HIGH',
  documentation:
    'The syntax of field names. V1: only top-level fields; a dot is part of the name. V2: nested fields too; dots separate names, and backticks enclose a name that contains dots.',
})

/** Accepts a list with at least one item. */
export const nonEmptyList: Validator = {
  describe: 'non-empty list',
  ofNull: 'Empty list',
  check: value => (Array.isArray(value) && value.length === 0 ? 'Empty list' : null),
}

/** Accepts a list of distinct names, which may be empty. */
export const distinctNamesIfAny = distinctItems({ allowEmpty: true })

/** Accepts a list of at least one name, without duplicates. */
export const distinctNames = distinctItems({ allowEmpty: false })
