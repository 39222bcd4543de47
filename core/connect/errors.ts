/** Options of an error that a plugin throws. */
export interface ConnectErrorOptions extends ErrorOptions {
  /**
   * The name of the Java exception class in the headers of dead letters. Set it if Connect would
   * throw an exception of another library.
   */
  readonly javaClass?: string
}

/**
 * An error that a plugin throws. It fails the task. The message must say what failed and what to
 * do, and must never contain a secret. The runtime distinguishes errors by `retriable` and `name`,
 * not by class, because a plugin may contain its own copy of this module.
 */
export class ConnectError extends Error {
  readonly retriable: boolean = false
  readonly javaClass?: string
  constructor(message: string, options?: ConnectErrorOptions) {
    super(message, options)
    this.name = 'ConnectError'
    if (options?.javaClass !== undefined) this.javaClass = options.javaClass
  }
}

/** A temporary error. The runtime retries the failed operation, with a back-off. */
export class RetriableError extends ConnectError {
  override readonly retriable = true
  constructor(message: string, options?: ConnectErrorOptions) {
    super(message, options)
    this.name = 'RetriableError'
  }
}

/**
 * An error in a record. `errors.tolerance` and the dead letter queue decide what happens to the
 * record.
 */
export class DataError extends ConnectError {
  constructor(message: string, options?: ConnectErrorOptions) {
    super(message, options)
    this.name = 'DataError'
  }
}
