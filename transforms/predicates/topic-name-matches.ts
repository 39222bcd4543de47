import {
  all,
  type ConfigValues,
  type ConnectRecord,
  defineConfig,
  nonEmpty,
  type Predicate,
  regex,
} from 'millrace/connect'
import { JavaPattern } from 'millrace/connect/java'

const topicNameMatchesConfig = defineConfig({
  pattern: {
    type: 'STRING',
    importance: 'MEDIUM',
    validator: all(nonEmpty, regex),
    documentation: 'A Java regular expression that the whole topic name must match.',
  },
})

/** org.apache.kafka.connect.transforms.predicates.TopicNameMatches: true where the whole topic matches. */
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
