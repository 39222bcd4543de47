import { javaDouble, javaFloat } from './java-floats.ts'

/** A newer JSON than TypeScript's library knows: an object that JSON.stringify writes as the given text. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }

/**
 * A floating number of data without a schema, where a JavaScript number would not say that it is one: `1` is Java's Long, `1.0` its
 * Double. Calculates and compares (`<`, `+`) like the number. Prints as Java does, also with JSON.stringify.
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

/** A Double that is a whole number. All other doubles are plain numbers: make them with `double`. */
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

/** A double as data without a schema holds it: wrapped only where it is a whole number. */
export function double(value: number): number | Double {
  return Number.isInteger(value) ? new Double(value) : value
}
