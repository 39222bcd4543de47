import { Decimal } from './decimal.ts'
import { javaDouble, javaFloat } from './java-floats.ts'
import { keysInOrder } from './java-map.ts'
import { FloatingNumber } from './java-numbers.ts'
import { DATE, DECIMAL, TIME, TIMESTAMP } from './logical.ts'
import { getField } from './own.ts'
import type { Schema, Struct } from './schema.ts'

// The functions in this file print values as Java does. Connect writes this text to topics and
// files.

/**
 * Returns the text of Java's BigDecimal.toString. It has an exponent if the scale is negative or
 * the number is very small.
 */
export function javaBigDecimal(value: Decimal): string {
  const negative = value.unscaled < 0n
  const digits = (negative ? -value.unscaled : value.unscaled).toString()
  const sign = negative ? '-' : ''
  const exponent = digits.length - 1 - value.scale
  if (value.scale >= 0 && exponent >= -6) return value.toString()
  const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits
  if (exponent === 0) return sign + mantissa
  return `${sign}${mantissa}E${exponent > 0 ? '+' : ''}${exponent}`
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Returns the text of java.util.Date's toString, in UTC: `Thu Jan 01 00:00:00 UTC 1970`. */
export function javaDate(value: Date): string {
  const two = (n: number) => String(n).padStart(2, '0')
  const clock = [value.getUTCHours(), value.getUTCMinutes(), value.getUTCSeconds()].map(two).join(':')
  const day = `${DAYS[value.getUTCDay()]} ${MONTHS[value.getUTCMonth()]} ${two(value.getUTCDate())}`
  return `${day} ${clock} UTC ${value.getUTCFullYear()}`
}

/**
 * Returns Java's `String.valueOf` of a value of Connect's data model: `Struct{id=1,name=x}` without
 * null fields, `{a=1, b=2}` for a map, `[1, 2]` for a list. Bytes are decoded as UTF-8, whereas
 * Java prints their address.
 */
export function javaToString(schema: Schema | null, value: unknown): string {
  if (value === null || value === undefined) return 'null'
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
      return numberText(schema, value)
    case 'object':
      return objectText(schema, value)
    default:
      return String(value)
  }
}

function numberText(schema: Schema | null, value: number): string {
  if (schema?.type === 'double') return javaDouble(value)
  if (schema?.type === 'float') return javaFloat(value)
  // Without a schema, a whole number is a Long in Java, and any other number is a Double.
  return Number.isSafeInteger(value) ? String(value) : javaDouble(value)
}

function objectText(schema: Schema | null, value: object): string {
  if (Buffer.isBuffer(value)) return value.toString('utf8')
  if (value instanceof FloatingNumber) return value.toString()
  if (value instanceof Decimal) return javaBigDecimal(value)
  if (value instanceof Date) return javaDate(value)
  if (Array.isArray(value)) return `[${value.map(v => javaToString(schema?.valueSchema ?? null, v)).join(', ')}]`
  if (schema?.type === 'struct') {
    const struct = value as Struct
    const texts: string[] = []
    for (const f of schema.fields ?? []) {
      const own = getField(struct, f.name)
      if (own !== null && own !== undefined) texts.push(`${f.name}=${javaToString(f.schema, own)}`)
    }
    return `Struct{${texts.join(',')}}`
  }
  const keySchema = schema?.keySchema ?? null
  const valueSchema = schema?.valueSchema ?? null
  const one = (k: unknown, v: unknown) => `${javaToString(keySchema, k)}=${javaToString(valueSchema, v)}`
  if (value instanceof Map) return `{${Array.from(value, ([k, v]) => one(k, v)).join(', ')}}`
  const map = value as Struct
  return `{${keysInOrder(map)
    .map(k => one(k, map[k]))
    .join(', ')}}`
}

/**
 * Whether a schema has one of Connect's own logical types, whose values differ from those of the
 * base type.
 */
export function isLogical(schema: Schema): boolean {
  return schema.name === DECIMAL || schema.name === DATE || schema.name === TIME || schema.name === TIMESTAMP
}
