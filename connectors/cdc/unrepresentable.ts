/** The error for a value that the configured schema cannot represent, such as NaN as a decimal. */
export class Unrepresentable extends RangeError {
  /**
   * The nearest value that the schema can represent. NOT NULL columns use it. Undefined if there is
   * none.
   */
  readonly nearest: unknown
  /**
   * Whether nullable columns use `nearest` too. For example, an array with null for each invalid
   * element is better than null for the whole array.
   */
  readonly always: boolean

  constructor(message: string, nearest?: unknown, always = false) {
    super(message)
    this.nearest = nearest
    this.always = always
  }
}
