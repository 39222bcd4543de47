/** The name of a table. In a database without schemas, `schema` is the catalog. */
export interface TableName {
  readonly schema: string
  readonly table: string
}

/** Returns `schema.table`, the name of a table in filters, offsets and transaction events. */
export const qualified = (name: TableName): string => `${name.schema}.${name.table}`

/** The maximum length of a topic name in Kafka. */
const MAX_LENGTH = 249

/** Returns a valid topic name. `replace` returns the replacement of each invalid character. */
export function sanitizeTopic(name: string, replace: (c: string) => string = () => '_'): string {
  const clean = name.replace(/[^A-Za-z0-9._-]/g, replace).slice(0, MAX_LENGTH)
  return clean === '.' || clean === '..' ? clean.replace(/\./g, replace) : clean
}

export interface TopicNamingOptions {
  readonly prefix: string
  /** The value of `topic.delimiter`. */
  readonly delimiter: string
  /** The value of `topic.transaction`. */
  readonly transaction: string
  /** The value of `topic.heartbeat.prefix`, or of its older spelling `heartbeat.topics.prefix`. */
  readonly heartbeatPrefix: string
  /** The value of `topic.heartbeat.name`, which takes precedence over the prefix. */
  readonly heartbeatName: string | null
  /**
   * Whether invalid characters become `_uXXXX` instead of `_` (SchemaUnicodeTopicNamingStrategy).
   */
  readonly unicode: boolean
}

/** The names of the records' topics, as in Debezium's SchemaTopicNamingStrategy. */
export class TopicNaming {
  readonly #options: TopicNamingOptions

  constructor(options: TopicNamingOptions) {
    this.#options = options
  }

  /** Returns `prefix.schema.table`, the topic of a table. */
  table(name: TableName): string {
    const { prefix, delimiter } = this.#options
    return this.#clean([prefix, name.schema, name.table].filter(part => part.trim() !== '').join(delimiter))
  }

  transaction(): string {
    return [this.#options.prefix, this.#options.transaction].join(this.#options.delimiter)
  }

  heartbeat(): string {
    const { heartbeatName, heartbeatPrefix, delimiter, prefix } = this.#options
    return heartbeatName ? heartbeatName : [heartbeatPrefix, prefix].join(delimiter)
  }

  /** Returns the topic of logical decoding messages. */
  message(): string {
    return `${this.#options.prefix}.message`
  }

  #clean(name: string): string {
    if (!this.#options.unicode) return sanitizeTopic(name)
    const escaped = name.replace(/_/g, '_u005f')
    return sanitizeTopic(escaped, c => `_u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  }
}
