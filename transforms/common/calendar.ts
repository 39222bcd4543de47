export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const
export const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const

const DAY_MS = 86_400_000

/** Returns the day of the year, starting with 1. */
export function dayOfYear(date: Date): number {
  const start = new Date(0)
  start.setUTCFullYear(date.getUTCFullYear(), 0, 1)
  return Math.floor((date.getTime() - start.getTime()) / DAY_MS) + 1
}

/**
 * Returns the week of the year as Java does for en-US: weeks begin on Sunday, and week 1 contains
 * January 1.
 */
export function weekOfYear(date: Date): number {
  const year = date.getUTCFullYear()
  const newYear = new Date(0)
  newYear.setUTCFullYear(year, 0, 1)
  const week = Math.floor((dayOfYear(date) - 1 + newYear.getUTCDay()) / 7) + 1
  const next = new Date(0)
  next.setUTCFullYear(year + 1, 0, 1)
  // The last days of December may be in the first week of the next year.
  const daysLeft = Math.floor((next.getTime() - date.getTime() - 1) / DAY_MS) + 1
  return daysLeft <= next.getUTCDay() ? 1 : week
}

/** Returns the year that contains the last day of the date's week. */
export function weekYear(date: Date): number {
  const saturday = new Date(date)
  saturday.setUTCDate(date.getUTCDate() + 6 - date.getUTCDay())
  return saturday.getUTCFullYear()
}

export function weekOfMonth(date: Date): number {
  const first = new Date(date)
  first.setUTCDate(1)
  return Math.floor((date.getUTCDate() - 1 + first.getUTCDay()) / 7) + 1
}
