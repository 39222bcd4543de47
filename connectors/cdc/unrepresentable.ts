/** The error for a value that the configured schema cannot represent, such as NaN as a decimal. */
export class Unrepresentable extends RangeError {
  /**
   * The nearest value that the schema can represent, which is used for NOT NULL columns. Undefined
   * if no such value exists.
   */
  readonly nearest: unknown
  /**
   * Whether `nearest` is used for nullable columns too. For example, an array with null for each
   * invalid element is better than null for the whole array.
   */
  readonly always: boolean

  constructor(message: string, nearest?: unknown, always = false) {
    super(message)
    this.nearest = nearest
    this.always = always
  }
}
