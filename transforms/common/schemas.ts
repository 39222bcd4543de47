import { DataError, type Field, getField, type Schema, type SchemaOptions, type Struct, struct } from 'millrace/connect'

/**
 * Returns the attributes that a schema keeps when it is changed: name, version, doc and parameters
 * (Connect's SchemaUtil.copySchemaBasics).
 */
export function basicsOf(schema: Schema): SchemaOptions {
  const { name, version, doc, parameters } = schema
  const options: Record<string, unknown> = {}
  if (name !== undefined) options['name'] = name
  if (version !== undefined) options['version'] = version
  if (doc !== undefined) options['doc'] = doc
  if (parameters !== undefined) options['parameters'] = parameters
  return options
}

/**
 * Returns a required struct schema with the name, version, doc and parameters of `schema` and with
 * these fields. Throws a DataError for duplicate field names.
 */
export function structLike(schema: Schema, fields: Iterable<readonly [string, Schema]>): Schema {
  const byName = new Map<string, Schema>()
  for (const [name, own] of fields) {
    if (byName.has(name)) throw new DataError(`Cannot create field because of field name duplication ${name}`)
    byName.set(name, own)
  }
  return struct(byName, basicsOf(schema))
}

export function fieldsOf(schema: Schema): readonly Field[] {
  return schema.fields ?? []
}

/** Returns the fields that have a default. */
export function defaultedFields(schema: Schema): readonly Field[] {
  return fieldsOf(schema).filter(f => (f.schema.default ?? null) !== null)
}

/** Returns the value of a field. Null becomes the default if `replaceNull` is set. */
export function fieldValue(value: Struct, field: Field, replaceNull: boolean): unknown {
  const own = getField(value, field.name)
  if (own !== null && own !== undefined) return own
  return (replaceNull ? field.schema.default : null) ?? null
}
