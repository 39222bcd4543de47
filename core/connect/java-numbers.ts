import { javaDouble, javaFloat } from './java-floats.ts'

/**
 * JSON.rawJSON, which TypeScript does not declare yet. JSON.stringify writes its text unchanged.
 */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }

/**
 * A floating-point number in data without a schema. A plain JavaScript number cannot show its type:
 * `1` is a Long in Java, and `1.0` is a Double. An instance works in arithmetic and comparisons
 * (`+`, `<`). It prints as in Java, also with JSON.stringify.
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

/**
 * A Double with a whole-number value. Other doubles are plain numbers. Use the function `double` to
 * create a double of either kind.
 */
export class Double extends FloatingNumber {
  toString(): string {
    return javaDouble(this.value)
  }
}

/** A Float. Its text has fewer digits than the text of a Double with the same value. */
export class Float extends FloatingNumber {
  constructor(value: number) {
    super(Math.fround(value))
  }

  toString(): string {
    return javaFloat(this.value)
  }
}

/**
 * Returns a double for data without a schema: a `Double` if the value is a whole number, otherwise
 * a plain number.
 */
export function double(value: number): number | Double {
  return Number.isInteger(value) ? new Double(value) : value
}
