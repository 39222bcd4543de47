import type { ApiKey } from '../../../protocol/index.ts'
import { RawClient } from '../../test-support/raw-client.ts'

type Answer = Record<string, unknown>

/**
 * Asks a broker and writes down its answers in a form that two brokers can be compared by: member ids and topic ids by their order of
 * appearance, lists sorted, ports left out.
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

  /** The same record of answers, over a connection of its own. */
  async fork(port: number): Promise<Transcript> {
    return new Transcript(await RawClient.connect(port), this.lines, this.#names)
  }

  /** Shows an id by a name of ours. */
  name(id: string, name: string): void {
    this.#names.set(id, name)
  }

  async ask(api: keyof typeof ApiKey, input: object, version?: number): Promise<Answer> {
    // Its line is where it was asked, whenever the answer comes.
    const line = this.lines.push('') - 1
    const answer = await this.#client.call(api, input, version)
    this.lines[line] = `${api} ${version ?? 'newest'} ${this.#show(input)} -> ${this.#show(answer)}`
    return answer
  }

  /** Asks without writing down the answer. */
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

/** Bytes as text, long text cut. */
function readable(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('latin1')
  if (typeof value === 'string' && value.length > 200) return `${value.slice(0, 20)}...${value.length}`
  if (Array.isArray(value)) return value.map(readable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, readable(v)]))
}

/** Lists in one order: brokers keep none. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, sorted(v)]))
}
