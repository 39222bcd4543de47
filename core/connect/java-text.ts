import { Decimal } from './decimal.ts'
import { javaMapOrder } from './java-map.ts'
import { DATE, DECIMAL, TIME, TIMESTAMP } from './logical.ts'
import type { Schema } from './schema.ts'

// Texts as Java renders them: bytes that Connect's users have in their topics and files depend on these.

/** Within these, Java writes no exponent. */
const PLAIN_MIN = 1e-3
const PLAIN_MAX = 1e7
/** Below this, floats have fewer digits than elsewhere. */
const FLOAT_MIN_NORMAL = 1.17549435e-38

/** Java's Double.toString: `1.0`, `1.0E10`, `NaN`, `-Infinity`. Shortest digits, as since JDK 19. */
export function javaDouble(value: number): string {
  const magnitude = value < 0 ? -value : value
  if (magnitude >= PLAIN_MIN && magnitude < PLAIN_MAX) {
    return Number.isInteger(value) ? `${value}.0` : `${value}`
  }
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  if (!Number.isFinite(value)) return String(value)
  // Java prefers the nearest of two digits to the only one of one digit: 4.9E-324, not 5.0E-324.
  const two = value.toExponential(1)
  return javaExponent(Number(two) === value ? two : value.toExponential())
}

/** Java's Float.toString: the shortest digits that tell the float from its neighbours. */
export function javaFloat(value: number): string {
  const float = Math.fround(value)
  const magnitude = Math.abs(float)
  if (!Number.isFinite(float) || float === 0) return javaDouble(float)
  // Where six digits do, they end in the zeros that a shorter text would lack.
  for (let digits = magnitude < FLOAT_MIN_NORMAL ? 2 : 6; digits <= 9; digits++) {
    const text = float.toPrecision(digits)
    const parsed = Number(text)
    if (Math.fround(parsed) !== float) continue
    if (magnitude >= PLAIN_MIN && magnitude < PLAIN_MAX) return javaDouble(parsed)
    return digits === 2 ? javaExponent(float.toExponential(1)) : javaExponent(parsed.toExponential())
  }
  return javaDouble(float)
}

/** `1.5e+10`, as JavaScript has it, in Java's form: `1.5E10`. */
function javaExponent(text: string): string {
  const e = text.indexOf('e')
  const mantissa = text.slice(0, e)
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(text.slice(e + 1))}`
}

/** Java's BigDecimal.toString: with an exponent where the scale is negative or the number very small. */
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

/** java.util.Date's toString, in UTC: `Thu Jan 01 00:00:00 UTC 1970`. */
export function javaDate(value: Date): string {
  const two = (n: number) => String(n).padStart(2, '0')
  const clock = [value.getUTCHours(), value.getUTCMinutes(), value.getUTCSeconds()].map(two).join(':')
  const day = `${DAYS[value.getUTCDay()]} ${MONTHS[value.getUTCMonth()]} ${two(value.getUTCDate())}`
  return `${day} ${clock} UTC ${value.getUTCFullYear()}`
}

/**
 * `String.valueOf` of a value of Connect's data model: `Struct{id=1,name=x}` without null fields, `{a=1, b=2}` for a map,
 * in the order that Java's HashMap has them, `[1, 2]` for a list. Bytes, where Java prints an address, are their text as UTF-8.
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
  // Without a schema an integral number is taken for Java's Long, any other for its Double.
  return Number.isSafeInteger(value) ? String(value) : javaDouble(value)
}

function objectText(schema: Schema | null, value: object): string {
  if (Buffer.isBuffer(value)) return value.toString('utf8')
  if (value instanceof Decimal) return javaBigDecimal(value)
  if (value instanceof Date) return javaDate(value)
  if (Array.isArray(value)) return `[${value.map(v => javaToString(schema?.valueSchema ?? null, v)).join(', ')}]`
  if (schema?.type === 'struct') {
    const struct = value as Record<string, unknown>
    const fields = (schema.fields ?? []).filter(f => struct[f.name] !== null && struct[f.name] !== undefined)
    return `Struct{${fields.map(f => `${f.name}=${javaToString(f.schema, struct[f.name])}`).join(',')}}`
  }
  const entries = value instanceof Map ? [...value] : Object.entries(value)
  const one = ([k, v]: [unknown, unknown]) =>
    `${javaToString(schema?.keySchema ?? null, k)}=${javaToString(schema?.valueSchema ?? null, v)}`
  return `{${javaMapOrder(entries, schema?.keySchema?.type === 'int64')
    .map(one)
    .join(', ')}}`
}

/** Whether values of the schema are those of one of Connect's own logical types rather than of its base type. */
export function isLogical(schema: Schema): boolean {
  return schema.name === DECIMAL || schema.name === DATE || schema.name === TIME || schema.name === TIMESTAMP
}
