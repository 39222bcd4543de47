import type { Logger, Schema, SinkRecord } from 'millrace/connect'
import { type Answer, causeOf, reasonOf } from './answer.ts'
import type { ElasticsearchClient } from './client.ts'
import { errors } from './errors.ts'
import { errorFor, indexError } from './failures.ts'
import { documentMapping } from './mapping.ts'
import type { Settings } from './settings.ts'

/**
 * Returns the index of a topic, as in Confluent's sink: lower case, at most 255 characters, no - or
 * _ at the start.
 */
function indexName(topic: string): string {
  const name = topic
    .toLowerCase()
    .slice(0, 255)
    .replace(/^[-_]+/, '')
  return name === '.' || name === '..' ? name.replaceAll('.', 'dot') : name
}

/**
 * The body of the request that creates an index. It maps doubles to `double`: by default
 * Elasticsearch maps the first double of a field to `float`, and later rejects 1.0E300. Index
 * templates take precedence.
 */
const NEW_INDEX = JSON.stringify({
  mappings: { dynamic_templates: [{ doubles: { match_mapping_type: 'double', mapping: { type: 'double' } } }] },
})

interface Target {
  readonly topic: string
  readonly name: string
  readonly path: string
  readonly signal: AbortSignal
}

/** Finds or creates the index or data stream of each topic, once. */
export class Targets {
  readonly #client: ElasticsearchClient
  readonly #settings: Settings
  readonly #logger: Logger
  readonly #names = new Map<string, string>()
  readonly #ready = new Set<string>()
  readonly #mapped = new Set<string>()

  constructor(client: ElasticsearchClient, settings: Settings, logger: Logger) {
    this.#client = client
    this.#settings = settings
    this.#logger = logger
  }

  /** Throws MR_ES_TARGET for a topic without a resource in topic.to.external.resource.mapping. */
  nameOf(topic: string): string {
    let name = this.#names.get(topic)
    if (name === undefined) {
      name = this.#nameOf(topic)
      this.#names.set(topic, name)
    }
    return name
  }

  #nameOf(topic: string): string {
    const { raw, external } = this.#settings
    if (external) {
      const resource = external.get(topic)
      if (!resource)
        throw errors.create('MR_ES_TARGET', { topic, cause: 'topic.to.external.resource.mapping does not name it' })
      return resource
    }
    const type = raw['data.stream.type'].toLowerCase()
    if (type === 'none') return indexName(topic)
    const namespace = raw['data.stream.namespace'].replace('${topic}', topic).toLowerCase().slice(0, 100)
    return `${type}-${raw['data.stream.dataset'].toLowerCase()}-${namespace}`
  }

  /** Whether the target of a record is ready, so that `prepare` is not needed. */
  isReady({ topic, valueSchema }: SinkRecord): boolean {
    const name = this.nameOf(topic)
    return this.#ready.has(name) && (this.#mapped.has(name) || !this.#givesMapping(topic, valueSchema))
  }

  #givesMapping(topic: string, schema: Schema | null): schema is Schema {
    return (schema?.type === 'struct' || schema?.type === 'map') && !this.#settings.ignoresSchema(topic)
  }

  /** Forgets an index that no longer exists, so that the next `prepare` recreates it. */
  drop(name: string): void {
    this.#ready.delete(name)
    this.#mapped.delete(name)
  }

  /**
   * Prepares the target of a record: creates a missing index and, if schemas are used and there is
   * no mapping yet, the mapping from the schema. Throws if the target cannot be used.
   */
  async prepare({ topic, valueSchema: schema }: SinkRecord, signal: AbortSignal): Promise<void> {
    const name = this.nameOf(topic)
    const target: Target = { topic, name, path: `/${encodeURIComponent(name)}`, signal }
    if (!this.#ready.has(name)) {
      const found = await this.#ask(target, { method: 'HEAD' }, [404])
      if (found.status === 404) await this.#create(target)
      this.#ready.add(name)
    }
    if (this.#mapped.has(name) || !this.#givesMapping(topic, schema)) return
    const now = await this.#ask(target, { method: 'GET', sub: '/_mapping' }, [404])
    const mappings = Object.values((now.body ?? {}) as Record<string, { mappings?: { properties?: object } }>)
    if (now.status === 200 && !mappings.some(m => m.mappings?.properties)) {
      const mapping = documentMapping(schema, this.#settings.raw['compact.map.entries'])
      await this.#ask(target, { method: 'PUT', sub: '/_mapping', body: JSON.stringify(mapping) })
    }
    this.#mapped.add(name)
  }

  async #create(target: Target): Promise<void> {
    const { name, topic } = target
    if (this.#settings.external) {
      const reason = `${name} does not exist`
      const place = { url: this.#client.shown, index: name, topic }
      throw indexError(place, 404, { type: 'index_not_found_exception', reason }, reason)
    }
    // The first document creates the data stream, from Elasticsearch's templates for logs-*-* and
    // metrics-*-*.
    if (this.#settings.dataStream) return
    const made = await this.#ask(target, { method: 'PUT', body: NEW_INDEX }, [400])
    const taken = made.status === 400 && /already_exists/.test(causeOf(made.body)?.type ?? reasonOf(made.body))
    if (made.status === 400 && !taken) throw this.#refusal(target, 'PUT', made)
    if (!taken) this.#logger.info(`created the index ${name}`)
  }

  /**
   * Sends one request about a target. Throws if the status of the response is neither 2xx nor in
   * `accepted`.
   */
  async #ask(
    target: Target,
    { method, sub = '', body }: { method: 'GET' | 'HEAD' | 'PUT'; sub?: string; body?: string },
    accepted: readonly number[] = [],
  ): Promise<Answer> {
    const request = { method, path: `${target.path}${sub}`, ...(body !== undefined && { body }) }
    const answer = await this.#client.send(request, target.signal)
    if (answer.status >= 300 && !accepted.includes(answer.status)) throw this.#refusal(target, method, answer)
    return answer
  }

  #refusal({ name, topic, path }: Target, method: string, answer: Answer): Error {
    return errorFor(method, path, answer, { url: this.#client.shown, index: name, topic })
  }
}
