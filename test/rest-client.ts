export interface ConnectorStatus {
  readonly connector: { readonly state: string; readonly trace?: string }
  readonly tasks: readonly { readonly id: number; readonly state: string; readonly trace?: string }[]
}

export interface Answer {
  readonly status: number
  readonly body: unknown
}

/** A client of the REST API of a worker in another process. */
export abstract class RestClient {
  abstract readonly restPort: number

  async rest(method: string, path: string, body?: unknown): Promise<Answer> {
    const answer = await fetch(`http://127.0.0.1:${this.restPort}${path}`, {
      method,
      signal: AbortSignal.timeout(60_000),
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? null : JSON.parse(text) }
  }

  /**
   * Creates a connector. If the REST API rejects it, throws an error with the message of the
   * response.
   */
  async create(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    const { status, body } = await this.rest('POST', '/connectors', { name, config })
    if (status !== 201) throw new Error(`POST /connectors ${name}: ${status} ${JSON.stringify(body)}`)
  }

  async status(name: string): Promise<ConnectorStatus> {
    return (await this.rest('GET', `/connectors/${name}/status`)).body as ConnectorStatus
  }
}
