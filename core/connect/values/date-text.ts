import { DATE, TIME } from '../logical.ts'
import type { Schema } from '../schema.ts'

const DAY_MS = 86_400_000

/**
 * Returns an instant as Connect's Values writes it: the date and the time. The date is omitted on
 * the first day of 1970. The time is omitted if it is midnight on another day. Before 1970, Connect
 * always omits the date. Here the schema decides, so that the date is not lost.
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
