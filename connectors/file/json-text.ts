import { DATE, Decimal, FloatingNumber, type Schema, TIME, TIMESTAMP } from 'millrace/connect'
import { javaDouble, javaFloat } from 'millrace/connect/java'

/**
 * Returns a value as one line of JSON. Structs and maps become objects. int64 and decimals become
 * exact numbers. Dates become ISO 8601 strings, and bytes become base64. NaN and Infinity become
 * strings, because JSON has no such numbers.
 */
export function jsonText(schema: Schema | null, value: unknown): string {
  const given = value ?? (schema?.optional ? null : schema?.default)
  if (given === null || given === undefined) return 'null'
  switch (typeof given) {
    case 'string':
      return JSON.stringify(given)
    case 'number':
      return numberText(schema, given)
    case 'bigint':
    case 'boolean':
      return String(given)
  }
  if (given instanceof FloatingNumber) return JSON.stringify(given)
  if (given instanceof Date) return JSON.stringify(dateText(schema, given))
  if (Buffer.isBuffer(given)) return JSON.stringify(given.toString('base64'))
  if (given instanceof Decimal) return String(given)
  if (Array.isArray(given)) return `[${given.map(v => jsonText(schema?.valueSchema ?? null, v)).join(',')}]`
  if (given instanceof Map) {
    return `{${[...given].map(([k, v]) => `${JSON.stringify(String(k))}:${jsonText(schema?.valueSchema ?? null, v)}`).join(',')}}`
  }
  if (schema?.type === 'struct') {
    const struct = given as Record<string, unknown>
    const own = (name: string) => (Object.hasOwn(struct, name) ? struct[name] : null)
    return `{${schema.fields!.map(f => `${JSON.stringify(f.name)}:${jsonText(f.schema, own(f.name))}`).join(',')}}`
  }
  const inner = schema?.valueSchema ?? null
  return `{${Object.entries(given)
    .map(([k, v]) => `${JSON.stringify(k)}:${jsonText(inner, v)}`)
    .join(',')}}`
}

/**
 * Returns a double or float as Java prints it. So a whole number stays a floating-point number:
 * `1.0`, not `1`.
 */
function numberText(schema: Schema | null, value: number): string {
  if (!Number.isFinite(value)) return JSON.stringify(String(value))
  if (schema?.type === 'float') return javaFloat(value)
  const isDouble = schema ? schema.type === 'double' : !Number.isSafeInteger(value)
  return isDouble ? javaDouble(value) : String(value)
}

function dateText(schema: Schema | null, value: Date): string {
  const iso = value.toISOString()
  if (schema?.name === DATE) return iso.slice(0, iso.indexOf('T'))
  if (schema?.name === TIME) return iso.slice(iso.indexOf('T') + 1, -1)
  return schema?.name === TIMESTAMP || !schema ? iso : String(value.getTime())
}
