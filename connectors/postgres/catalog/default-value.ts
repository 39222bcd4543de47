import { Decimal } from 'millrace/connect'
import type { Codec } from '../types/codec.ts'
import { type ColumnType, numericModifier } from '../types/codec-for.ts'

const LITERAL = /'([^']*(?:''[^']*)*)'/
const CALL = /^\(?[A-Za-z0-9_.]+\((?:.+(?:, ?.+)*)?\)/
const NOW = new Set(['current_timestamp', 'current_time', 'current_date', 'localtime', 'localtimestamp'])

/**
 * The schema default by type, for a column whose default the server computes for each row. The
 * values are the same as in Debezium.
 */
const COMPUTED: Readonly<Record<string, string>> = {
  bit: '00',
  varbit: '0',
  bool: 'f',
  bpchar: '',
  varchar: '',
  text: '',
  numeric: '0.0',
  float4: '0.0',
  float8: '0.0',
  int2: '0',
  int4: '0',
  int8: '0',
  json: '{}',
  jsonb: '{}',
  xml: '',
  uuid: '00000000-0000-0000-0000-000000000000',
  date: '1970-01-01',
  time: '00:00:00',
  timestamp: '1970-01-01 00:00:00',
  timestamptz: '1970-01-01 00:00:00+00',
  interval: 'PT0S',
}

/**
 * Returns the literal of an expression such as `'abc'::character varying` or `-7`; null for NULL.
 */
function literalOf(expression: string): string | null {
  if (expression.startsWith('NULL::') || expression === 'NULL') return null
  if (!expression.includes("'")) return expression
  const m = LITERAL.exec(expression)
  return m ? m[1]!.replaceAll("''", "'") : null
}

const NUMBER = /^-?\d*\.?\d+(e[+-]?\d+)?$/i

/** Returns a number with the decimal places that its column declares. */
function scaled(type: ColumnType, text: string): string {
  const scale = numericModifier(type.typmod)?.scale ?? 0
  const digits = text.includes('.') ? text.length - text.indexOf('.') - 1 : 0
  if (digits >= scale || /e/i.test(text)) return text
  return `${text}${digits === 0 ? '.' : ''}${'0'.repeat(scale - digits)}`
}

/**
 * Returns the text of a literal in the format in which the server prints values of the type; null
 * if the text is not a literal of the type.
 */
function printed(type: ColumnType, text: string): string | null {
  switch (type.name) {
    case 'bool':
      return /^t(rue)?$/i.test(text) ? 't' : 'f'
    case 'int2':
    case 'int4':
    case 'int8':
      return /^-?\d+$/.test(text) ? text : null
    case 'numeric':
      return NUMBER.test(text) ? scaled(type, text) : null
    case 'float4':
    case 'float8':
      return NUMBER.test(text) || /^(NaN|-?Infinity)$/.test(text) ? text : null
    case 'date':
      return /^\d{4,}-\d\d-\d\d( BC)?$/.test(text) ? text : null
    case 'time':
      return /^\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text) ? (text.length === 5 ? `${text}:00` : text) : null
    case 'timestamp':
      return /^\d{4,}-\d\d-\d\d$/.test(text)
        ? `${text} 00:00:00`
        : /^\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d/.test(text)
          ? text
          : null
    case 'timestamptz':
      return timestamptz(text)
    case 'interval':
      return interval(text)
    case 'bit':
    case 'varbit':
      return /^[01]*$/.test(text) ? text : null
    default:
      return text
  }
}

/**
 * Returns a timestamptz constant in UTC; null for other text. pg_get_expr prints constants in the
 * time zone of the session, which is UTC here.
 */
function timestamptz(text: string): string | null {
  if (/^\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00( BC)?$/.test(text)) return text
  const at = Date.parse(text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'))
  return Number.isNaN(at) ? null : new Date(at).toISOString().replace('T', ' ').replace('Z', '+00')
}

/**
 * Returns an interval constant; null for other text. pg_get_expr prints constants in the
 * intervalstyle of the session, which is ISO 8601 here.
 */
const interval = (text: string): string | null => (/^P/.test(text) ? text : null)

/**
 * Returns the default of a column for its schema, as Debezium does: the value of a literal, or a
 * fixed value for a computed default. Returns undefined if the schema cannot represent the default.
 */
export function schemaDefault(type: ColumnType, codec: Codec, expression: string | null): unknown {
  if (expression === null || type.element) return undefined
  const computed = CALL.test(expression) || NOW.has(expression.toLowerCase())
  let text: string | null
  if (type.labels) text = enumDefault(expression)
  else if (!type.builtin || !(type.name in COMPUTED)) return undefined
  else text = computed ? COMPUTED[type.name]! : literalOf(expression)
  if (text === null) return undefined
  const shown = computed && type.name !== 'numeric' ? text : printed(type, text)
  if (shown === null) return undefined
  const bytes = Buffer.from(shown)
  try {
    const value = codec.decode(bytes, 0, bytes.length)
    // structs cannot be defaults (KAFKA-12694)
    return isStruct(value) || value === null ? undefined : value
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined
    throw error
  }
}

const isStruct = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Buffer.isBuffer(value) &&
  !(value instanceof Decimal) &&
  !(value instanceof Date) &&
  !Array.isArray(value)

/**
 * Returns the label of a default such as `'green'::colour`; null for other expressions. The label
 * may contain quotes.
 */
function enumDefault(expression: string): string | null {
  const cast = expression.lastIndexOf('::')
  const label = cast < 0 ? '' : expression.slice(0, cast)
  return /^'.*'$/s.test(label) ? label.slice(1, -1).replaceAll("''", "'") : null
}
