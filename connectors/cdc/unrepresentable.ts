/** A value that the configuration's schema cannot hold, such as NaN in a decimal number. */
export class Unrepresentable extends RangeError {
  /** The nearest value that the schema can hold, used for NOT NULL columns; undefined if none. */
  readonly nearest: unknown
  /** Whether to use `nearest` for any column, such as an array whose invalid elements are null. */
  readonly always: boolean

  constructor(message: string, nearest?: unknown, always = false) {
    super(message)
    this.nearest = nearest
    this.always = always
  }
}
