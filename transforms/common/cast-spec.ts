import type { Validator } from 'millrace/connect'
import { type CastType, castTypeOf } from './cast-value.ts'
import { namesInOrder } from './maps.ts'

/** The casts of a spec: one type for the whole key or value, or the types of fields. */
export interface CastSpec {
  readonly whole: CastType | null
  readonly fields: ReadonlyMap<string, CastType>
}

/** Parses the items of `spec`. Returns an error message if an item is invalid. */
export function parseCastSpec(items: readonly string[]): CastSpec | string {
  const fields = new Map<string, CastType>()
  let whole: CastType | null = null
  for (const item of items) {
    const parts = item.split(':').map(s => s.trim())
    if (parts.length > 2) return `Invalid cast spec: ${item}`
    const [name, typeName] = parts.length === 2 && parts[1] !== '' ? [parts[0]!, parts[1]!] : [null, parts[0]!]
    const type = castTypeOf(typeName)
    if (!type) return `Invalid type found in casting spec: ${typeName}`
    if (name === null) whole = type
    else fields.set(name, type)
  }
  if (whole && items.length > 1) {
    return 'Cast transformations that specify a type to cast the entire value to may only specify a single cast in their spec'
  }
  // If a record does not have these fields, Connect adds them in this order.
  return { whole, fields: new Map(namesInOrder(fields.keys()).map(name => [name, fields.get(name)!])) }
}

const EMPTY = 'Must specify at least one field to cast.'

/** Validates the `spec` of Cast. */
export const castSpec: Validator = {
  describe: 'list of colon-delimited pairs, e.g. foo:int8,bar:string, or one type',
  complete: true,
  ofNull: EMPTY,
  check(value) {
    const items = (value as string[] | null) ?? []
    if (items.length === 0) return EMPTY
    const spec = parseCastSpec(items)
    return typeof spec === 'string' ? spec : null
  },
}
