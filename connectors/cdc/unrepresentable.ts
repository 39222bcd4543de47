/** A value that the configuration's schema cannot hold, such as NaN in a decimal number. */
export class Unrepresentable extends RangeError {
  /** The nearest value that the schema holds; undefined for none. Stands in where a column is NOT NULL. */
  readonly nearest: unknown
  /** Whether `nearest` stands in everywhere, as an array does in which the elements at fault are null. */
  readonly always: boolean

  constructor(message: string, nearest?: unknown, always = false) {
    super(message)
    this.nearest = nearest
    this.always = always
  }
}
