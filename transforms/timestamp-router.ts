import {
  type ConfigValues,
  type ConnectRecord,
  DataError,
  defineConfig,
  key,
  type Transformation,
} from 'millrace/connect'
import { JavaDateFormat } from './common/java-date-format.ts'

const timestampRouterConfig = defineConfig({
  'topic.format': key.string({
    default: '${topic}-${timestamp}',
    importance: 'HIGH',
    documentation:
      'The new name of the topic. `${topic}` is replaced by the old name, `${timestamp}` by the timestamp of the record.',
  }),
  'timestamp.format': key.string({
    default: 'yyyyMMdd',
    importance: 'HIGH',
    documentation: 'The format of the timestamp, in the pattern letters of java.text.SimpleDateFormat.',
  }),
})

/**
 * org.apache.kafka.connect.transforms.TimestampRouter: adds the record's time, in UTC, to the name
 * of the record's topic.
 */
export class TimestampRouter implements Transformation {
  readonly config = timestampRouterConfig
  #topic = ''
  #format = new JavaDateFormat('timestamp.format', 'yyyyMMdd')

  configure(config: ConfigValues<typeof timestampRouterConfig>): void {
    this.#topic = config['topic.format']
    this.#format = new JavaDateFormat('timestamp.format', config['timestamp.format'])
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    if (record.timestamp === null) throw new DataError(`Timestamp missing on record of topic ${record.topic}`)
    const text = this.#format.format(new Date(record.timestamp))
    const topic = this.#topic.replaceAll('${topic}', () => record.topic).replaceAll('${timestamp}', () => text)
    return { ...record, topic }
  }
}
