/** Options of an error that a plugin throws. */
export interface ConnectErrorOptions extends ErrorOptions {
  /** The Java exception class for dead letters, if Connect throws one that is not its own. */
  readonly javaClass?: string
}

/**
 * An error that a plugin throws. It fails the task. The runtime distinguishes errors by `retriable`
 * and `name`, not by class, because a plugin may contain its own copy of this module. Say in the
 * message what failed and what to do. Never put a secret in it.
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

/** An error that may pass. The runtime retries, with a back-off. */
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
