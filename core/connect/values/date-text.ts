import { DATE, TIME } from '../logical.ts'
import type { Schema } from '../schema.ts'

const DAY_MS = 86_400_000

/**
 * Returns the text of a Date, Time or Timestamp. From 1970 on, the text equals that of Connect's
 * Values: only the time on 1970-01-01, only the date at midnight of later days, otherwise both.
 * Before 1970, Connect writes only the time, so that the date is lost. This function writes only
 * the time for a Time, only the date for a Date, and both for a Timestamp.
 */
export function dateText(schema: Schema | null, value: Date): string {
  const ms = value.getTime()
  // In ISO 8601, years after 9999 have a plus sign and six digits.
  const iso = value.toISOString().replace(/^\+0?/, '')
  const time = iso.slice(iso.indexOf('T') + 1)
  const day = iso.slice(0, iso.indexOf('T'))
  if (ms < 0 ? schema?.name === TIME : ms < DAY_MS) return time
  return ms < 0 && schema?.name !== DATE ? iso : ms % DAY_MS === 0 ? day : iso
}
