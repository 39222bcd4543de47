/** Options of an error that a plugin throws. */
export interface ConnectErrorOptions extends ErrorOptions {
  /** The Java exception class for dead letters, if Connect throws one that is not its own. */
  readonly javaClass?: string
}

/**
 * Errors a plugin throws. The runtime tells them apart by `retriable` and `name`, not by class, since a plugin may carry its
 * own copy of this module. Write messages for the reader: what failed, on what, what to do. Never put a secret in one.
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

/** Trying the same again can help: the runtime does, with back-off. */
export class RetriableError extends ConnectError {
  override readonly retriable = true
  constructor(message: string, options?: ConnectErrorOptions) {
    super(message, options)
    this.name = 'RetriableError'
  }
}

/** The record itself is at fault: subject to `errors.tolerance` and the dead letter queue. */
export class DataError extends ConnectError {
  constructor(message: string, options?: ConnectErrorOptions) {
    super(message, options)
    this.name = 'DataError'
  }
}
