import { DataError, type Field, getField, type Schema, type SchemaOptions, type Struct, struct } from 'millrace/connect'

/** Name, version, doc and parameters: what a changed schema keeps of the old one (Connect's SchemaUtil.copySchemaBasics). */
export function basicsOf(schema: Schema): SchemaOptions {
  const { name, version, doc, parameters } = schema
  const options: Record<string, unknown> = {}
  if (name !== undefined) options['name'] = name
  if (version !== undefined) options['version'] = version
  if (doc !== undefined) options['doc'] = doc
  if (parameters !== undefined) options['parameters'] = parameters
  return options
}

/** A struct schema like the given one, required, with these fields. Throws DataError where two have one name. */
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

/** The fields whose null means their default. */
export function defaultedFields(schema: Schema): readonly Field[] {
  return fieldsOf(schema).filter(f => (f.schema.default ?? null) !== null)
}

/** A field's value; its default where it is null and `replaceNull` says so. */
export function fieldValue(value: Struct, field: Field, replaceNull: boolean): unknown {
  const own = getField(value, field.name)
  if (own !== null && own !== undefined) return own
  return (replaceNull ? field.schema.default : null) ?? null
}
