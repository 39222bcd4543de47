interface Zone {
  /** The offset from UTC in minutes. Positive values are east of Greenwich. */
  readonly minutes: number
  readonly length: number
}

const UTC = /^(?:GMT|UTC)/i
/** The formats of the pattern letters X, XX and XXX: `+01`, `+0100`, `+01:00`. */
const ISO = [/^([+-])(\d{2})/, /^([+-])(\d{2})(\d{2})/, /^([+-])(\d{2}):(\d{2})/]
const RFC_822 = /^([+-])(\d{2})(\d{2})/
const CUSTOM = /^GMT([+-])(\d{1,2}):(\d{2})/i

function zoneOf(found: RegExpExecArray | null): Zone | null {
  if (!found) return null
  const [whole, sign, hours, minutes = '0'] = found
  if (Number(hours) > 23 || Number(minutes) > 59) return null
  const total = Number(hours) * 60 + Number(minutes)
  return { minutes: sign === '-' ? -total : total, length: whole.length }
}

/**
 * Parses the time zone at the start of a string as SimpleDateFormat does for the letters z, Z and
 * X. The only supported names are UTC and GMT.
 */
export function parseZone(text: string, letter: string, count: number): Zone | null {
  if (letter === 'X') {
    if (text.startsWith('Z')) return { minutes: 0, length: 1 }
    const form = ISO[Math.min(count, ISO.length) - 1]!
    return zoneOf(form.exec(text))
  }
  if (/^[+-]/.test(text)) return zoneOf(RFC_822.exec(text))
  if (/^GMT[+-]/i.test(text)) return zoneOf(CUSTOM.exec(text))
  const named = UTC.exec(text)
  return named && { minutes: 0, length: named[0].length }
}
