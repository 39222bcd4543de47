/**
 * Returns the number of days from 1970 to a date in the proleptic Gregorian calendar. Year 0 is 1
 * BC.
 */
export function epochDay(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/** Returns the date that is `days` days after 1970-01-01. */
export function civil(days: number): { year: number; month: number; day: number } {
  const z = days + 719_468
  const era = Math.floor(z / 146_097)
  const dayOfEra = z - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const mp = Math.floor((5 * dayOfYear + 2) / 153)
  const month = mp < 10 ? mp + 3 : mp - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * mp + 2) / 5) + 1,
  }
}

const pad = (n: number, width: number) => String(n).padStart(width, '0')

/**
 * Returns a year as java.time prints it: at least four digits, and a sign if the year has more
 * digits or is negative.
 */
const isoYear = (year: number) => (year > 9999 ? `+${year}` : year < 0 ? `-${pad(-year, 4)}` : pad(year, 4))

/** Returns a date as `2020-01-02`. `days` is counted from 1970-01-01. */
export function isoDate(days: number): string {
  const { year, month, day } = civil(days)
  return `${isoYear(year)}-${pad(month, 2)}-${pad(day, 2)}`
}

/**
 * Returns a time as `12:34:56`. The fraction has exactly `digits` digits. If `digits` is null, the
 * fraction has no trailing zeros.
 */
export function isoTime(micros: number, digits: number | null = null): string {
  const seconds = Math.floor(micros / 1_000_000)
  const fraction = pad(micros % 1_000_000, 6)
  const shown = digits === null ? fraction.replace(/0+$/, '') : fraction.slice(0, digits)
  const clock = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`
  return shown === '' ? clock : `${clock}.${shown}`
}
