import type { Transformation } from '../../connect/plugins.ts'
import type { Props } from '../../connect/props.ts'
import type { ConnectRecord, SinkRecord } from '../../connect/record.ts'
import type { HarnessOptions } from '../harness.ts'
import type { SentRecord } from '../sink-harness.ts'

/** The prefix of topics, which the transformation removes. */
const PREFIX = 'consumed-'

/** How to run a sink whose records have another position after a transformation. */
export interface ChangedTopics {
  /** The configuration of the fixture, with the prefix before its topics. */
  readonly config: Props
  /** The first topic, with its prefix. */
  readonly topic: string
  readonly options: Pick<HarnessOptions, 'transforms' | 'validate'>
  /** Returns a record with the prefix before its topic. */
  rename(record: SentRecord): SentRecord
}

/**
 * Adds a prefix to the topics of a fixture. The transformation removes it, so that a sink that
 * derives its target from the topic writes to the target of the fixture.
 */
export function changedTopics(fixture: Props): ChangedTopics {
  const { 'topics.regex': _, ...config } = fixture
  const topics = (config['topics'] || 'test').split(',').map(topic => topic.trim())
  const [first = 'test'] = topics
  return {
    config: { ...config, topics: topics.map(topic => PREFIX + topic).join(',') },
    topic: PREFIX + first,
    // validation may compare other keys with the topics, which have no prefix in the fixture
    options: { transforms: [{ type: ChangePosition }], validate: false },
    rename: record => ({ ...record, topic: PREFIX + (record.topic ?? first) }),
  }
}

class ChangePosition implements Transformation {
  apply<R extends ConnectRecord>(record: R): R {
    const { offset, partition } = record as unknown as SinkRecord
    return { ...record, topic: record.topic.slice(PREFIX.length), partition: partition + 1, offset: offset + 1000 }
  }
}
