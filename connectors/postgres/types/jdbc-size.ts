import { type ColumnType, numericModifier, timeModifier } from './codec-for.ts'

const UNLIMITED = 2_147_483_647

/**
 * The lengths of types that the JDBC driver reports. Debezium uses them in schema parameters and
 * for hashes.
 */
const LENGTH: Readonly<Record<string, number>> = {
  int2: 5,
  int4: 10,
  oid: 10,
  int8: 19,
  float4: 8,
  float8: 17,
  bool: 1,
  char: 1,
  date: 13,
  interval: 49,
}
const CLOCK: Readonly<Record<string, number>> = { time: 8, timetz: 14, timestamp: 22, timestamptz: 28 }

/** Returns the length and the scale that the JDBC driver reports for a column. */
export function jdbcSize(type: ColumnType): { length: number; scale: number } {
  const { name, typmod } = type
  const clock = CLOCK[name]
  if (clock !== undefined) {
    const digits = timeModifier(typmod) < 0 ? 6 : timeModifier(typmod)
    return { length: clock + (digits > 0 ? digits + 1 : 0), scale: digits }
  }
  switch (name) {
    case 'numeric': {
      const m = numericModifier(typmod)
      return { length: m?.precision ?? 131_089, scale: m?.scale ?? 0 }
    }
    case 'float4':
    case 'float8':
      return { length: LENGTH[name]!, scale: LENGTH[name]! }
    case 'interval':
      return { length: 49, scale: typmod < 0 ? 6 : typmod & 0xffff }
    case 'bpchar':
    case 'varchar':
      return { length: typmod < 4 ? UNLIMITED : typmod - 4, scale: 0 }
    case 'bit':
      return { length: typmod < 0 ? 1 : typmod, scale: 0 }
    case 'varbit':
      return { length: typmod < 0 ? UNLIMITED : typmod, scale: 0 }
    default:
      return { length: LENGTH[name] ?? UNLIMITED, scale: 0 }
  }
}
