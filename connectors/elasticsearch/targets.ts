import type { Logger, Schema, SinkRecord } from '../../core/connect/index.ts'
import { errors } from './errors.ts'
import { type Answer, type ElasticsearchHttp, reasonOf } from './http.ts'
import { documentMapping } from './mapping.ts'
import type { Settings } from './settings.ts'

const JSON_TYPE = 'application/json'

/** The index of a topic, as Confluent's sink names it: lower case, at most 255 characters, not beginning with - or _. */
function indexName(topic: string): string {
  const name = topic
    .toLowerCase()
    .slice(0, 255)
    .replace(/^[-_]+/, '')
  return name === '.' || name === '..' ? name.replaceAll('.', 'dot') : name
}

/** Where the records of each topic go, and that it is there: made or found once, then remembered. */
export class Targets {
  readonly #http: ElasticsearchHttp
  readonly #settings: Settings
  readonly #logger: Logger
  readonly #names = new Map<string, string>()
  readonly #ready = new Set<string>()
  readonly #mapped = new Set<string>()

  constructor(http: ElasticsearchHttp, settings: Settings, logger: Logger) {
    this.#http = http
    this.#settings = settings
    this.#logger = logger
  }

  /** Throws MR_ES_TARGET for a topic that the mapping to existing resources leaves out. */
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

  /** Whether `prepare` has nothing to do. */
  isReady({ topic, valueSchema }: SinkRecord): boolean {
    const name = this.nameOf(topic)
    return this.#ready.has(name) && (this.#mapped.has(name) || !this.#givesMapping(topic, valueSchema))
  }

  #givesMapping(topic: string, schema: Schema | null): schema is Schema {
    return (schema?.type === 'struct' || schema?.type === 'map') && !this.#settings.ignoresSchema(topic)
  }

  /** Forgets an index that turned out to be gone, so that the next `prepare` makes it anew. */
  forget(name: string): void {
    this.#ready.delete(name)
    this.#mapped.delete(name)
  }

  /** Sees to it that the target is there, with a mapping out of the schema where one is wanted and none is there yet. */
  async prepare({ topic, valueSchema: schema }: SinkRecord, signal: AbortSignal): Promise<void> {
    const name = this.nameOf(topic)
    const path = `/${encodeURIComponent(name)}`
    if (!this.#ready.has(name)) {
      const found = await this.#ask('HEAD', path, null, [404], signal)
      if (found.status === 404) await this.#create(topic, name, path, signal)
      this.#ready.add(name)
    }
    if (this.#mapped.has(name) || !this.#givesMapping(topic, schema)) return
    const now = await this.#ask('GET', `${path}/_mapping`, null, [404], signal)
    const mappings = Object.values((now.body ?? {}) as Record<string, { mappings?: { properties?: object } }>)
    if (now.status === 200 && !mappings.some(m => m.mappings?.properties)) {
      const mapping = documentMapping(schema, this.#settings.raw['compact.map.entries'])
      await this.#ask('PUT', `${path}/_mapping`, JSON.stringify(mapping), [], signal)
    }
    this.#mapped.add(name)
  }

  async #create(topic: string, name: string, path: string, signal: AbortSignal): Promise<void> {
    if (this.#settings.external)
      throw errors.create('MR_ES_TARGET', { topic, cause: `${name} does not exist, and is not to be created` })
    // a data stream is made by its first document and Elasticsearch's own templates for logs-*-* and metrics-*-*
    if (this.#settings.dataStream) return
    const made = await this.#ask('PUT', path, null, [400], signal)
    const taken = made.status === 400 && /resource_already_exists|already_exists/.test(reasonOf(made.body))
    if (made.status === 400 && !taken) this.#refuse('PUT', path, made)
    if (!taken) this.#logger.info(`created the index ${name}`)
  }

  /** One request about a target. 429 and 5xx are worth another try; other answers than 2xx and the accepted ones are not. */
  async #ask(
    method: 'GET' | 'HEAD' | 'PUT',
    path: string,
    body: string | null,
    accepted: readonly number[],
    signal: AbortSignal,
  ): Promise<Answer> {
    const answer = await this.#http.send(method, path, body, JSON_TYPE, signal)
    if (answer.status >= 300 && !accepted.includes(answer.status)) this.#refuse(method, path, answer)
    return answer
  }

  #refuse(method: string, path: string, answer: Answer): never {
    throw errorFor(method, path, answer, this.#http.shown, path.split('/')[1] ?? '')
  }
}

/** The error that a whole request's answer means. */
export function errorFor(method: string, path: string, answer: Answer, url: string, index: string): Error {
  const cause = reasonOf(answer.body)
  const { status } = answer
  if (status === 401 || (status === 403 && !/cluster_block/.test(cause)))
    return errors.create('MR_ES_AUTH', { url, status, cause, index })
  if (status === 408 || status === 429 || status >= 500 || /cluster_block/.test(cause))
    return errors.create('MR_ES_UNREACHABLE', { url, cause: `${status} ${cause}` })
  return errors.create('MR_ES_REQUEST', { method, path, status, cause })
}
