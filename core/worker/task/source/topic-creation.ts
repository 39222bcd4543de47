import type { Admin, NewTopic } from '../../../client/types.ts'
import { listItems } from '../../../common/config/parse.ts'
import { messageOf } from '../../../common/errors/error-table.ts'
import type { Logger } from '../../../common/log.ts'
import { JavaPattern } from '../../../common/regex/java-pattern.ts'
import type { Props } from '../../../connect/props.ts'

interface Group {
  readonly name: string
  readonly include: JavaPattern | null
  readonly exclude: JavaPattern | null
  readonly partitions: number
  readonly replicationFactor: number
  readonly configs: Readonly<Record<string, string>>
}

const PREFIX = 'topic.creation.'
const OWN_KEYS = new Set(['include', 'exclude', 'partitions', 'replication.factor'])

/**
 * Returns one pattern in which the patterns are joined with `|`, as in Connect. Returns null for an
 * empty list.
 */
const anyOf = (patterns: readonly string[]): JavaPattern | null =>
  patterns.length === 0 ? null : JavaPattern.compile(patterns.join('|'))

function groupOf(name: string, props: Props, fallback: Group | null): Group {
  const prefix = `${PREFIX}${name}.`
  const own: Record<string, string> = {}
  for (const [key, value] of Object.entries(props)) {
    if (key.startsWith(prefix)) own[key.slice(prefix.length)] = value
  }
  const configs = Object.fromEntries(Object.entries(own).filter(([key]) => !OWN_KEYS.has(key)))
  return {
    name,
    include: anyOf(listItems(own['include'])),
    exclude: anyOf(listItems(own['exclude'])),
    partitions: Number(own['partitions'] ?? fallback?.partitions ?? -1),
    replicationFactor: Number(own['replication.factor'] ?? fallback?.replicationFactor ?? -1),
    configs: { ...fallback?.configs, ...configs },
  }
}

/** Returns the settings with which a topic is created. */
export type TopicCreationRules = (topic: string) => NewTopic

/**
 * Returns a function that determines the settings of a new topic from `topic.creation.groups` and
 * `topic.creation.<group>.*`. Returns null if the connector has none of these keys. As in Connect,
 * the broker then creates topics automatically.
 */
export function topicCreationRules(props: Props): TopicCreationRules | null {
  if (!Object.keys(props).some(key => key.startsWith(PREFIX))) return null
  const fallback = groupOf('default', props, null)
  const groups = listItems(props[`${PREFIX}groups`]).map(name => groupOf(name, props, fallback))
  return topic => {
    const matches = (g: Group) => (g.include?.matches(topic) ?? false) && !(g.exclude?.matches(topic) ?? false)
    const { partitions, replicationFactor, configs } = groups.find(matches) ?? fallback
    return { name: topic, partitions, replicationFactor, configs }
  }
}

/** Creates the topics of a source task before their first record is written. */
export class TopicCreator {
  readonly #admin: Admin
  readonly #rules: TopicCreationRules
  readonly #logger: Logger

  constructor(admin: Admin, rules: TopicCreationRules, logger: Logger) {
    this.#admin = admin
    this.#rules = rules
    this.#logger = logger
  }

  /** Resolves when the topic exists. Rejects if the topic cannot be created. */
  async ensure(topic: string): Promise<void> {
    const [existing] = await this.#admin.describeTopics([topic])
    if (existing) return
    const wanted = this.#rules(topic)
    try {
      await this.#admin.createTopics([wanted])
      this.#logger.info(`created topic ${topic} with ${wanted.partitions} partitions (topic.creation settings)`)
    } catch (error) {
      // Another task may have created the topic in the meantime.
      const [now] = await this.#admin.describeTopics([topic])
      if (!now) throw error
      this.#logger.debug(`topic ${topic} was created by another task: ${messageOf(error)}`)
    }
  }

  async close(): Promise<void> {
    await this.#admin.close()
  }
}
