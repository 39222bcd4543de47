/** The name of a table. `schema` is the catalog for databases without schemas. */
export interface TableName {
  readonly schema: string
  readonly table: string
}

/** Returns `schema.table`, the form in filters, offsets and transaction events. */
export const qualified = (name: TableName): string => `${name.schema}.${name.table}`

/** Kafka's longest topic name. */
const MAX_LENGTH = 249

/** Returns a valid topic name. `replace` returns the replacement of each other character. */
export function sanitizeTopic(name: string, replace: (c: string) => string = () => '_'): string {
  const clean = name.replace(/[^A-Za-z0-9._-]/g, replace).slice(0, MAX_LENGTH)
  return clean === '.' || clean === '..' ? clean.replace(/\./g, replace) : clean
}

export interface TopicNamingOptions {
  readonly prefix: string
  /** `topic.delimiter` */
  readonly delimiter: string
  /** `topic.transaction` */
  readonly transaction: string
  /** `topic.heartbeat.prefix` or its older spelling `heartbeat.topics.prefix` */
  readonly heartbeatPrefix: string
  /** `topic.heartbeat.name`, which takes precedence over the prefix */
  readonly heartbeatName: string | null
  /** Writes `_uXXXX` instead of `_` for invalid characters (SchemaUnicodeTopicNamingStrategy). */
  readonly unicode: boolean
}

/** The topics of records, as in Debezium's SchemaTopicNamingStrategy. */
export class TopicNaming {
  readonly #options: TopicNamingOptions

  constructor(options: TopicNamingOptions) {
    this.#options = options
  }

  /** `prefix.schema.table` */
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

  /** The topic of logical decoding messages. */
  message(): string {
    return `${this.#options.prefix}.message`
  }

  #clean(name: string): string {
    if (!this.#options.unicode) return sanitizeTopic(name)
    const escaped = name.replace(/_/g, '_u005f')
    return sanitizeTopic(escaped, c => `_u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  }
}
