import {
  type ConfigValues,
  type ConnectRecord,
  DataError,
  defineConfig,
  key,
  messageOf,
  regex,
  type Transformation,
} from 'millrace/connect'
import { JavaPattern } from 'millrace/connect/java'

const regexRouterConfig = defineConfig({
  regex: key.string({
    validator: regex,
    importance: 'HIGH',
    documentation: 'A Java regular expression. It must match the whole name of the topic.',
  }),
  replacement: key.string({
    importance: 'HIGH',
    documentation: 'The new name of the topic. $1 is the text that the first group matched.',
  }),
})

/**
 * org.apache.kafka.connect.transforms.RegexRouter: renames the topics that match a regular
 * expression.
 */
export class RegexRouter implements Transformation {
  readonly config = regexRouterConfig
  #pattern = JavaPattern.compile('')
  #replacement = ''
  // Caches the new name of each topic, because there are far fewer topics than records.
  readonly #routes = new Map<string, string>()

  configure(config: ConfigValues<typeof regexRouterConfig>): void {
    this.#pattern = JavaPattern.compile(config.regex)
    this.#replacement = config.replacement
    this.#routes.clear()
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    let topic = this.#routes.get(record.topic)
    if (topic === undefined) {
      topic = this.#pattern.matches(record.topic) ? this.#replaced(record.topic) : record.topic
      if (this.#routes.size >= 10_000) this.#routes.clear()
      this.#routes.set(record.topic, topic)
    }
    return topic === record.topic ? record : { ...record, topic }
  }

  #replaced(topic: string): string {
    try {
      return this.#pattern.replaceFirst(topic, this.#pattern.replacement(this.#replacement))
    } catch (error) {
      const message = `Invalid value ${this.#replacement} for configuration replacement: ${messageOf(error)}`
      const isGroup = /No group \d/.test(message)
      const javaClass = isGroup ? 'java.lang.IndexOutOfBoundsException' : 'java.lang.IllegalArgumentException'
      throw new DataError(message, { javaClass })
    }
  }
}
