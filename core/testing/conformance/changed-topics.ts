import type { Transformation } from '../../connect/plugins.ts'
import type { Props } from '../../connect/props.ts'
import type { ConnectRecord, SinkRecord } from '../../connect/record.ts'
import type { HarnessOptions } from '../harness.ts'
import type { SentRecord } from '../sink-harness.ts'

/** The prefix that the test adds to topics and the transformation removes. */
const PREFIX = 'consumed-'

/** A configuration in which a transformation changes the topic, partition and offset of records. */
export interface ChangedTopics {
  /** The configuration of the fixture. Its topics have the prefix. */
  readonly config: Props
  /** The first topic, with its prefix. */
  readonly topic: string
  readonly options: Pick<HarnessOptions, 'transforms' | 'validate'>
  /** Returns a copy of the record whose topic has the prefix. */
  rename(record: SentRecord): SentRecord
}

/**
 * Adds a prefix to the topics of a fixture, and a transformation that removes the prefix. A sink
 * that derives its target from the topic then still writes to the target of the fixture.
 */
export function changedTopics(fixture: Props): ChangedTopics {
  const { 'topics.regex': _, ...config } = fixture
  const topics = (config['topics'] || 'test').split(',').map(topic => topic.trim())
  const [first = 'test'] = topics
  return {
    config: { ...config, topics: topics.map(topic => PREFIX + topic).join(',') },
    topic: PREFIX + first,
    // Other keys of the fixture may contain topics. They have no prefix, so validation could fail.
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
