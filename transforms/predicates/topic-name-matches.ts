import {
  all,
  type ConnectRecord,
  defineConfig,
  nonEmpty,
  type Predicate,
  type Props,
  parseConfig,
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
  readonly version = '0.1.0'
  readonly config = topicNameMatchesConfig
  #pattern = JavaPattern.compile('')

  configure(props: Props): void {
    this.#pattern = JavaPattern.compile(parseConfig(topicNameMatchesConfig, props).pattern)
  }

  test(record: ConnectRecord): boolean {
    return this.#pattern.matches(record.topic)
  }
}
