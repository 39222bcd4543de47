import type { ConsumerRecord } from '../../../client/types.ts'
import type { SinkRecord } from '../../../connect/record.ts'
import type { ErrantRecordReporter } from '../../../connect/sink-task.ts'
import type { Converters } from '../source/source-converter.ts'
import type { DeadLetterQueue } from './dead-letter-queue.ts'
import { type ErrorPolicy, SINK_TASK, StageError } from './error-policy.ts'

/**
 * The reporter in a sink task's context (KIP-610). Reported records are written to the log and to
 * the dead letter queue, with the bytes that were consumed.
 */
export class ErrantRecords implements ErrantRecordReporter {
  readonly #policy: ErrorPolicy<ConsumerRecord>
  readonly #queue: DeadLetterQueue | null
  readonly #converters: Converters
  readonly #raw = new WeakMap<SinkRecord, ConsumerRecord>()

  constructor(policy: ErrorPolicy<ConsumerRecord>, queue: DeadLetterQueue | null, converters: Converters) {
    this.#policy = policy
    this.#queue = queue
    this.#converters = converters
  }

  /**
   * Stores the consumed record from which a sink record was converted, so that the dead letter
   * queue receives the original bytes.
   */
  remember(record: SinkRecord, raw: ConsumerRecord): void {
    this.#raw.set(record, raw)
  }

  async report(record: SinkRecord, error: Error): Promise<void> {
    this.#policy.reject(this.#raw.get(record) ?? this.#rendered(record), new StageError('TASK_PUT', SINK_TASK, error))
    await this.#queue?.settled()
  }

  // Serializes a record whose consumed record is unknown, because the task has reported a copy.
  #rendered(record: SinkRecord): ConsumerRecord {
    const { key, value, header } = this.#converters
    const { topic, headers } = record
    return {
      topic: record.originalTopic,
      partition: record.originalPartition,
      offset: record.originalOffset,
      timestamp: record.timestamp ?? -1,
      timestampType: record.timestamp === null ? -1 : record.timestampType === 'LogAppendTime' ? 1 : 0,
      key: key.plugin.fromConnectData(topic, record.keySchema, record.key, headers),
      value: value.plugin.fromConnectData(topic, record.valueSchema, record.value, headers),
      headers: headers.map(h => ({
        key: h.key,
        value: header.plugin.fromConnectHeader(topic, h.key, h.schema, h.value),
      })),
      leaderEpoch: -1,
    }
  }
}
