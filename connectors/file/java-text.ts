import type { Schema } from '../../core/connect/index.ts'

/** A value as Java's `toString` prints it: what Kafka's file sink writes. Structs as `Struct{a=1,b=x}`, without their nulls. */
export function javaText(schema: Schema | null, value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (schema?.type === 'struct' && typeof value === 'object') {
    const struct = value as Record<string, unknown>
    const fields = schema.fields!.filter(f => struct[f.name] !== null && struct[f.name] !== undefined)
    return `Struct{${fields.map(f => `${f.name}=${javaText(f.schema, struct[f.name])}`).join(',')}}`
  }
  if (typeof value === 'number' && (schema?.type === 'double' || schema?.type === 'float')) return javaDouble(value)
  if (Array.isArray(value)) return `[${value.map(v => javaText(schema?.valueSchema ?? null, v)).join(', ')}]`
  if (value instanceof Map) {
    return `{${[...value].map(([k, v]) => `${javaText(schema?.keySchema ?? null, k)}=${javaText(schema?.valueSchema ?? null, v)}`).join(', ')}}`
  }
  // Java prints an array's identity, which says nothing: the bytes in base64 do
  if (Buffer.isBuffer(value)) return value.toString('base64')
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'object' && !('unscaled' in value)) {
    return `{${Object.entries(value)
      .map(([k, v]) => `${k}=${javaText(null, v)}`)
      .join(', ')}}`
  }
  return String(value)
}

/** Double.toString: always a point, an exponent below 10^-3 and from 10^7. */
function javaDouble(n: number): string {
  if (!Number.isFinite(n)) return String(n)
  const size = Math.abs(n)
  if (size === 0) return Object.is(n, -0) ? '-0.0' : '0.0'
  if (size >= 1e-3 && size < 1e7) return Number.isInteger(n) ? `${n}.0` : String(n)
  const [digits = '0', exponent = '0'] = n.toExponential().split('e')
  return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`
}
