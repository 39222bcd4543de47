import { javaDouble, javaFloat } from './java-floats.ts'

/**
 * A newer JSON than TypeScript's library knows: an object that JSON.stringify writes as the given
 * text.
 */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }

/**
 * A floating-point number in data without a schema that a plain JavaScript number could not
 * represent as such: `1` is a Java Long, `1.0` a Double. Works in arithmetic and comparisons (`+`,
 * `<`). Prints as in Java, also with JSON.stringify.
 */
export abstract class FloatingNumber {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }

  abstract toString(): string

  valueOf(): number {
    return this.value
  }

  toJSON(): unknown {
    return Number.isFinite(this.value) ? rawJSON(this.toString()) : this.toString()
  }
}

/** A whole-number Double. All other doubles are plain numbers: use `double` to create either. */
export class Double extends FloatingNumber {
  toString(): string {
    return javaDouble(this.value)
  }
}

/** A Float: its text has fewer digits than that of the Double of the same value. */
export class Float extends FloatingNumber {
  constructor(value: number) {
    super(Math.fround(value))
  }

  toString(): string {
    return javaFloat(this.value)
  }
}

/** A double for data without a schema: wrapped only if it is a whole number. */
export function double(value: number): number | Double {
  return Number.isInteger(value) ? new Double(value) : value
}
