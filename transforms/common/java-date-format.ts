import { ConfigError, DataError } from 'millrace/connect'
import { DAYS, dayOfYear, MONTHS, weekOfMonth, weekOfYear, weekYear } from './calendar.ts'
import { parseZone } from './time-zone.ts'

interface Part {
  /** A pattern letter, or '' for literal text. */
  readonly letter: string
  readonly count: number
  readonly text: string
}

/** The fields that were parsed. The other fields keep the values of 1970-01-01T00:00. */
interface Fields {
  year: number
  month: number
  day: number
  dayOfYear: number | null
  hour: number
  minute: number
  second: number
  ms: number
  pm: boolean | null
  offsetMinutes: number
  bc: boolean
}

const NUMERIC = new Set(['y', 'Y', 'M', 'L', 'd', 'D', 'H', 'k', 'K', 'h', 'm', 's', 'S', 'w', 'W', 'F', 'u'])
const TEXTS = new Set(['G', 'E', 'a', 'z', 'Z', 'X'])

/**
 * java.text.SimpleDateFormat in UTC and English. Throws a ConfigError for an unsupported pattern.
 */
export class JavaDateFormat {
  readonly pattern: string
  readonly #parts: readonly Part[]

  constructor(key: string, pattern: string) {
    this.pattern = pattern
    this.#parts = partsOf(key, pattern)
  }

  format(date: Date): string {
    if (Number.isNaN(date.getUTCFullYear())) {
      throw new DataError(`a date beyond the year 275760 (${Number(date)} ms since 1970) cannot be formatted as text`)
    }
    return this.#parts.map(p => (p.letter === '' ? p.text : formatPart(p, date))).join('')
  }

  /**
   * Parses the date at the start of a string. Returns null if the string does not match. As in
   * Java, the rest of the string is ignored.
   */
  parse(text: string): Date | null {
    const fields: Fields = {
      year: 1970,
      month: 0,
      day: 1,
      dayOfYear: null,
      hour: 0,
      minute: 0,
      second: 0,
      ms: 0,
      pm: null,
      offsetMinutes: 0,
      bc: false,
    }
    let at = 0
    for (const [i, part] of this.#parts.entries()) {
      const next = this.#parts[i + 1]
      // If another number follows directly, only the width of this number shows where it ends.
      const touches = next !== undefined && NUMERIC.has(next.letter)
      const length = part.letter === '' ? readText(part, text, at) : readPart(part, text, at, touches, fields)
      if (length < 0) return null
      at += length
    }
    return dateOf(fields)
  }
}

function partsOf(key: string, pattern: string): Part[] {
  const parts: Part[] = []
  const wrong = (why: string) => new ConfigError([{ key, message: `Invalid date format ${pattern}: ${why}` }])
  const literal = (text: string) => {
    const last = parts.at(-1)
    if (last?.letter === '') parts[parts.length - 1] = { ...last, text: last.text + text }
    else parts.push({ letter: '', count: 0, text })
  }
  for (let at = 0; at < pattern.length; ) {
    const c = pattern[at]!
    if (c === "'") {
      let text = ''
      for (at++; ; at++) {
        if (at >= pattern.length) throw wrong('a quote is not closed')
        if (pattern[at] !== "'") text += pattern[at]
        else if (pattern[at + 1] === "'") text += pattern[at++]
        else break
      }
      literal(text === '' ? "'" : text)
      at++
    } else if (/[A-Za-z]/.test(c)) {
      let count = 1
      while (pattern[at + count] === c) count++
      if (!NUMERIC.has(c) && !TEXTS.has(c)) throw wrong(`the letter ${c} is not supported`)
      parts.push({ letter: c, count, text: '' })
      at += count
    } else {
      literal(c)
      at++
    }
  }
  return parts
}

function formatPart({ letter, count }: Part, date: Date): string {
  const digits = (n: number) => String(n).padStart(count, '0')
  const hour = date.getUTCHours()
  const year = letter === 'Y' ? weekYear(date) : date.getUTCFullYear()
  switch (letter) {
    case 'G':
      return year > 0 ? 'AD' : 'BC'
    case 'y':
    case 'Y':
      return count === 2 ? String(Math.abs(year) % 100).padStart(2, '0') : digits(year > 0 ? year : 1 - year)
    case 'M':
    case 'L': {
      const name = MONTHS[date.getUTCMonth()]!
      return count >= 4 ? name : count === 3 ? name.slice(0, 3) : digits(date.getUTCMonth() + 1)
    }
    case 'd':
      return digits(date.getUTCDate())
    case 'D':
      return digits(dayOfYear(date))
    case 'H':
      return digits(hour)
    case 'k':
      return digits(hour === 0 ? 24 : hour)
    case 'K':
      return digits(hour % 12)
    case 'h':
      return digits(hour % 12 === 0 ? 12 : hour % 12)
    case 'm':
      return digits(date.getUTCMinutes())
    case 's':
      return digits(date.getUTCSeconds())
    case 'S':
      return digits(date.getUTCMilliseconds())
    case 'E': {
      const name = DAYS[date.getUTCDay()]!
      return count >= 4 ? name : name.slice(0, 3)
    }
    case 'u':
      return digits(date.getUTCDay() === 0 ? 7 : date.getUTCDay())
    case 'w':
      return digits(weekOfYear(date))
    case 'W':
      return digits(weekOfMonth(date))
    case 'F':
      return digits(Math.floor((date.getUTCDate() - 1) / 7) + 1)
    case 'a':
      return hour < 12 ? 'AM' : 'PM'
    case 'Z':
      return '+0000'
    case 'X':
      return 'Z'
    default:
      return count >= 4 ? 'Coordinated Universal Time' : 'UTC'
  }
}

function readText(part: Part, text: string, at: number): number {
  return text.startsWith(part.text, at) ? part.text.length : -1
}

/**
 * Parses one part of the pattern. Returns the length of the matched text, or -1 if the text does
 * not match.
 */
function readPart(part: Part, text: string, at: number, touches: boolean, fields: Fields): number {
  const { letter, count } = part
  if ((letter === 'M' || letter === 'L') && count >= 3) return readName(MONTHS, text, at, i => (fields.month = i))
  if (letter === 'E') return readName(DAYS, text, at, () => undefined)
  if (letter === 'a') return readName(['AM', 'PM'], text, at, i => (fields.pm = i === 1))
  if (letter === 'G') return readName(['AD', 'BC'], text, at, i => (fields.bc = i === 1))
  if (letter === 'z' || letter === 'Z' || letter === 'X') {
    const zone = parseZone(text.slice(at), letter, count)
    if (!zone) return -1
    fields.offsetMinutes = zone.minutes
    return zone.length
  }
  const spaces = /^[ \t]*/.exec(text.slice(at))![0].length
  const found = /^-?\d+/.exec(text.slice(at + spaces, touches ? at + spaces + count : undefined))
  if (!found) return -1
  setNumber(part, Number(found[0]), found[0].length, fields)
  return spaces + found[0].length
}

function readName(names: readonly string[], text: string, at: number, take: (i: number) => unknown): number {
  const rest = text.slice(at).toLowerCase()
  for (const short of [false, true]) {
    const i = names.findIndex(n => rest.startsWith((short ? n.slice(0, 3) : n).toLowerCase()))
    if (i < 0) continue
    take(i)
    return short ? Math.min(3, names[i]!.length) : names[i]!.length
  }
  return -1
}

function setNumber({ letter, count }: Part, n: number, length: number, fields: Fields): void {
  switch (letter) {
    case 'y':
    case 'Y':
      fields.year = count <= 2 && length === 2 && n >= 0 ? century(n) : n
      break
    case 'M':
    case 'L':
      fields.month = n - 1
      break
    case 'd':
      fields.day = n
      break
    case 'D':
      fields.dayOfYear = n
      break
    case 'H':
    case 'K':
      fields.hour = n
      break
    case 'k':
      fields.hour = n === 24 ? 0 : n
      break
    case 'h':
      fields.hour = n === 12 ? 0 : n
      break
    case 'm':
      fields.minute = n
      break
    case 's':
      fields.second = n
      break
    case 'S':
      fields.ms = n
      break
  }
}

/** Returns the full year of a two-digit year. It is between 80 years ago and 20 years from now. */
function century(n: number): number {
  const now = new Date().getUTCFullYear()
  const year = Math.floor((now - 80) / 100) * 100 + n
  return year < now - 80 ? year + 100 : year
}

function dateOf(f: Fields): Date | null {
  const hour = f.pm ? f.hour + 12 : f.hour
  const date = new Date(0)
  const year = f.bc ? 1 - f.year : f.year
  date.setUTCFullYear(year, f.dayOfYear === null ? f.month : 0, f.dayOfYear ?? f.day)
  date.setUTCHours(hour, f.minute - f.offsetMinutes, f.second, f.ms)
  return Number.isNaN(date.getTime()) ? null : date
}
