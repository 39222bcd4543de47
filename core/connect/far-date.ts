import { isoDate, isoTime } from './iso-time.ts'

const DAY_MS = 86_400_000n
/** The end of the range of JavaScript's Date, in milliseconds before and after 1970. */
const DATE_END = 8_640_000_000_000_000n

/**
 * A date before the year -271821 or after 275760, which Java's Date can represent, but JavaScript's
 * cannot. `getTime` and `toISOString` are correct. Calendar fields such as `getUTCFullYear` are
 * NaN.
 */
export class FarDate extends Date {
  /** The exact number of milliseconds since 1970. */
  readonly millis: bigint

  constructor(millis: bigint) {
    super(Number.NaN)
    this.millis = millis
  }

  /**
   * Returns the milliseconds since 1970. Beyond the year 287396, the number is rounded to a double.
   */
  override getTime(): number {
    return Number(this.millis)
  }

  override valueOf(): number {
    return Number(this.millis)
  }

  override toISOString(): string {
    const ofDay = ((this.millis % DAY_MS) + DAY_MS) % DAY_MS
    return `${isoDate(Number((this.millis - ofDay) / DAY_MS))}T${isoTime(Number(ofDay) * 1000, 3)}Z`
  }

  override toJSON(): string {
    return this.toISOString()
  }
}

/** Returns a Date for any number of milliseconds in the range of an int64. */
export function anyDate(millis: number | bigint): Date {
  const exact = BigInt(millis)
  return exact >= -DATE_END && exact <= DATE_END ? new Date(Number(millis)) : new FarDate(exact)
}

/** Returns the exact number of milliseconds since 1970 of a Date or a FarDate. */
export const millisOf = (date: Date): number | bigint => (date instanceof FarDate ? date.millis : date.getTime())
