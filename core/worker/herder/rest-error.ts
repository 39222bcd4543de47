/** An error that contains the HTTP status and the message of the REST answer. */
export class RestError extends Error {
  readonly status: number

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RestError'
    this.status = status
  }
}

export const notFound = (message: string): RestError => new RestError(404, message)
export const badRequest = (message: string): RestError => new RestError(400, message)
