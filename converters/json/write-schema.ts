import type { Schema } from 'millrace/connect'
import { quote } from './quote.ts'
import type { WriteOptions } from './write-value.ts'
import { compileWriter } from './write-value.ts'

/**
 * Returns the "schema" member of JsonConverter's envelope. For a struct field, `field` is its name.
 */
export function renderSchema(schema: Schema, options: WriteOptions, field?: string): string {
  const parts = [`"type":${quote(schema.type)}`]
  if (schema.type === 'array') parts.push(`"items":${renderInner(schema.valueSchema, options)}`)
  if (schema.type === 'map') {
    parts.push(`"keys":${renderInner(schema.keySchema, options)}`)
    parts.push(`"values":${renderInner(schema.valueSchema, options)}`)
  }
  if (schema.type === 'struct') {
    parts.push(`"fields":[${(schema.fields ?? []).map(f => renderSchema(f.schema, options, f.name)).join(',')}]`)
  }
  parts.push(`"optional":${schema.optional}`)
  if (schema.name !== undefined) parts.push(`"name":${quote(schema.name)}`)
  if (schema.version !== undefined) parts.push(`"version":${schema.version}`)
  if (schema.doc !== undefined) parts.push(`"doc":${quote(schema.doc)}`)
  if (schema.parameters !== undefined) {
    const entries = Object.entries(schema.parameters).map(([k, v]) => `${quote(k)}:${quote(v)}`)
    parts.push(`"parameters":{${entries.join(',')}}`)
  }
  if (schema.default !== undefined && schema.default !== null) {
    parts.push(`"default":${compileWriter(schema, options)(schema.default)}`)
  }
  if (field !== undefined) parts.push(`"field":${quote(field)}`)
  return `{${parts.join(',')}}`
}

// Headers can contain lists without a common type, whose elements have no schema.
function renderInner(schema: Schema | undefined, options: WriteOptions): string {
  return schema ? renderSchema(schema, options) : 'null'
}
