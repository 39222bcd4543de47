import type { ApiKey } from '../../../protocol/index.ts'
import { RawClient } from '../../test-support/raw-client.ts'

type Answer = Record<string, unknown>

/**
 * Sends requests, and records the responses in a form that can be compared between brokers. Member
 * ids and topic ids are replaced with numbers in their order of appearance. Lists are sorted, and
 * ports are omitted.
 */
export class Transcript {
  readonly lines: string[]
  readonly #client: RawClient
  readonly #names: Map<string, string>

  private constructor(client: RawClient, lines: string[], names: Map<string, string>) {
    this.#client = client
    this.lines = lines
    this.#names = names
  }

  static async connect(port: number): Promise<Transcript> {
    return new Transcript(await RawClient.connect(port), [], new Map())
  }

  /** Opens a separate connection that adds to the same transcript. */
  async fork(port: number): Promise<Transcript> {
    return new Transcript(await RawClient.connect(port), this.lines, this.#names)
  }

  /** Defines the name that later lines of the transcript contain instead of this id. */
  name(id: string, name: string): void {
    this.#names.set(id, name)
  }

  async ask(api: keyof typeof ApiKey, input: object, version?: number): Promise<Answer> {
    // Reserve the line now, so that lines are in the order of the requests, whatever the order of
    // the responses.
    const line = this.lines.push('') - 1
    const answer = await this.#client.call(api, input, version)
    this.lines[line] = `${api} ${version ?? 'newest'} ${this.#show(input)} -> ${this.#show(answer)}`
    return answer
  }

  /** Sends a request without recording the response. */
  silently(api: keyof typeof ApiKey, input: object): Promise<Answer> {
    return this.#client.call(api, input)
  }

  close(): void {
    this.#client.close()
  }

  #show(value: unknown): string {
    let text = JSON.stringify(readable(value)).replace(UUID, id => {
      if (!this.#names.has(id)) this.#names.set(id, `uuid-${this.#names.size}`)
      return this.#names.get(id)!
    })
    for (const [id, name] of this.#names) text = text.replaceAll(id, name)
    return JSON.stringify(sorted(JSON.parse(text.replaceAll(/"port":\d+/g, '"port":"P"'))))
  }
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** Returns bytes as text, and truncates long text. */
function readable(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('latin1')
  if (typeof value === 'string' && value.length > 200) return `${value.slice(0, 20)}...${value.length}`
  if (Array.isArray(value)) return value.map(readable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, readable(v)]))
}

/** Returns the value with all lists sorted, because brokers return them in no fixed order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, sorted(v)]))
}
