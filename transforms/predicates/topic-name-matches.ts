import {
  all,
  type ConfigValues,
  type ConnectRecord,
  defineConfig,
  key,
  nonEmpty,
  type Predicate,
  regex,
} from 'millrace/connect'
import { JavaPattern } from 'millrace/connect/java'

const topicNameMatchesConfig = defineConfig({
  pattern: key.string({
    validator: all(nonEmpty, regex),
    importance: 'MEDIUM',
    documentation: 'A Java regular expression. The predicate is true for records whose whole topic name matches it.',
  }),
})

/**
 * org.apache.kafka.connect.transforms.predicates.TopicNameMatches: true if the regular expression
 * matches the whole topic name.
 */
export class TopicNameMatches implements Predicate {
  readonly config = topicNameMatchesConfig
  #pattern = JavaPattern.compile('')

  configure(settings: ConfigValues<typeof topicNameMatchesConfig>): void {
    this.#pattern = JavaPattern.compile(settings.pattern)
  }

  test(record: ConnectRecord): boolean {
    return this.#pattern.matches(record.topic)
  }
}
