import type { ConsumerRecord } from '../../../client/types.ts'
import { messageOf } from '../../../common/errors/error-table.ts'
import { DataError } from '../../../connect/errors.ts'
import type { SinkRecord } from '../../../connect/record.ts'
import type { ErrantRecordReporter } from '../../../connect/sink-task.ts'
import { errors } from '../errors.ts'
import { kindOf } from '../kind-of.ts'
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
  #failure: Error | null = null

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

  /**
   * Reports a record. As in Connect, a failed report fails the task, even if the task ignores the
   * error or does not await the report.
   */
  report(record: SinkRecord, error: Error): Promise<void> {
    const reported = this.#report(record, error)
    // An unhandled rejection would end the thread and all tasks in it.
    reported.catch(() => undefined)
    return reported
  }

  /**
   * Throws the first error of a report. Must be called before offsets are committed, because the
   * reported record would otherwise be lost.
   */
  throwIfFailed(): void {
    if (this.#failure) throw this.#failure
  }

  async #report(record: SinkRecord, error: unknown): Promise<void> {
    try {
      const cause = error instanceof Error ? error : new DataError(reasonOf(error))
      this.#policy.reject(this.#originalOf(record), new StageError('TASK_PUT', SINK_TASK, cause))
      await this.#queue?.settled()
    } catch (failure) {
      this.#failure ??= failure instanceof Error ? failure : new Error(messageOf(failure))
      throw failure
    }
  }

  #originalOf(record: SinkRecord): ConsumerRecord {
    const fault = recordFault(record)
    if (fault) throw errors.create('MR_TASK_REPORT', { what: fault })
    return this.#raw.get(record) ?? this.#rendered(record)
  }

  // Serializes a record that is a copy made by the task. Its consumed record is unknown.
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

/** Returns why something that a task reported is not a sink record, or null. */
function recordFault(record: unknown): string | null {
  if (typeof record !== 'object' || record === null) return kindOf(record)
  const { topic, headers, originalTopic, originalPartition, originalOffset } = record as Partial<SinkRecord>
  if (typeof topic !== 'string') return `${kindOf(record)} without a topic`
  if (!Array.isArray(headers)) return `${kindOf(record)} without headers`
  const isPlace = typeof originalTopic === 'string' && Number.isInteger(originalPartition)
  if (!isPlace || !Number.isInteger(originalOffset))
    return `${kindOf(record)} without originalTopic, originalPartition and originalOffset`
  return null
}

function reasonOf(error: unknown): string {
  return error === undefined || error === null ? 'the task gave no reason' : messageOf(error)
}
