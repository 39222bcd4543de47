/** A value that the configured schema cannot represent, such as NaN as a decimal. */
export class Unrepresentable extends RangeError {
  /**
   * The nearest value that the schema can represent, for NOT NULL columns; undefined without one.
   */
  readonly nearest: unknown
  /** Whether to use `nearest` for any column, such as an array whose invalid elements are null. */
  readonly always: boolean

  constructor(message: string, nearest?: unknown, always = false) {
    super(message)
    this.nearest = nearest
    this.always = always
  }
}
