import {
  type ConnectRecord,
  defineConfig,
  type Props,
  parseConfig,
  regex,
  type Transformation,
} from '../core/connect/index.ts'
import { expandReplacement, javaPattern } from './common/java-regex.ts'

const regexRouterConfig = defineConfig({
  regex: {
    type: 'STRING',
    importance: 'HIGH',
    validator: regex,
    documentation: 'A regular expression that the whole topic must match.',
  },
  replacement: {
    type: 'STRING',
    importance: 'HIGH',
    documentation: 'The new topic; `$1` is what the first group matched.',
  },
})

/** org.apache.kafka.connect.transforms.RegexRouter: another topic for records whose topic matches. */
export class RegexRouter implements Transformation {
  readonly version = '0.1.0'
  readonly config = regexRouterConfig
  #pattern = /^$/u
  #replacement = ''
  // Topics are few and records many.
  readonly #routes = new Map<string, string>()

  configure(props: Props): void {
    const config = parseConfig(regexRouterConfig, props)
    this.#pattern = javaPattern('regex', config.regex)
    this.#replacement = config.replacement
    this.#routes.clear()
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    let topic = this.#routes.get(record.topic)
    if (topic === undefined) {
      const match = this.#pattern.exec(record.topic)
      topic = match ? expandReplacement('replacement', this.#replacement, match) : record.topic
      if (this.#routes.size >= 10_000) this.#routes.clear()
      this.#routes.set(record.topic, topic)
    }
    return topic === record.topic ? record : { ...record, topic }
  }
}
