import type { Admin, ConsumerRecord, DeliveryListener, Producer, ProducerRecord } from '../../../client/types.ts'
import { messageOf } from '../../../common/errors/error-table.ts'
import type { Logger } from '../../../common/log.ts'
import { errors } from '../errors.ts'
import type { MetricsRecorder } from '../metrics/recorder.ts'
import type { ErrorConfig } from './error-config.ts'
import type { ErrorReporter, StageError } from './error-policy.ts'
import { javaClassOf, javaTraceOf } from './java-errors.ts'
import { redact } from './redact.ts'

/**
 * Creates the topic of the dead letter queue if it does not exist. As in Connect, the topic has one
 * partition.
 */
export async function ensureDeadLetterTopic(admin: Admin, config: ErrorConfig, given: boolean): Promise<void> {
  const name = config['errors.deadletterqueue.topic.name']
  const [existing] = await admin.describeTopics([name])
  if (existing) return
  // A single broker cannot have Connect's default of three replicas, so the default is lowered to
  // the number of brokers. A replication factor that the user has set is not changed.
  const { brokers } = await admin.describeCluster()
  const wanted = config['errors.deadletterqueue.topic.replication.factor']
  const replicationFactor = given ? wanted : Math.min(wanted, brokers.length)
  try {
    await admin.createTopics([{ name, partitions: 1, replicationFactor }])
  } catch (error) {
    const [now] = await admin.describeTopics([name])
    if (!now) throw errors.create('MR_TASK_DLQ', { topic: name, cause: messageOf(error) }, { cause: error })
  }
}

interface Context {
  readonly connector: string
  readonly taskId: number
  readonly logger: Logger
}

const PREFIX = '__connect.errors.'

/**
 * Writes failed records to the dead letter queue, with the bytes that were consumed. `settled` must
 * be awaited before offsets are committed, because a failed record could otherwise be lost.
 */
export class DeadLetterQueue implements ErrorReporter<ConsumerRecord>, DeliveryListener {
  readonly #producer: Producer
  readonly #config: ErrorConfig
  readonly #metrics: MetricsRecorder
  readonly #context: Context
  readonly #topic: string
  #failure: Error | null = null
  #waiting: ProducerRecord[] = []
  #draining: Promise<void> | null = null

  constructor(producer: Producer, config: ErrorConfig, metrics: MetricsRecorder, context: Context) {
    this.#producer = producer
    this.#config = config
    this.#metrics = metrics
    this.#context = context
    this.#topic = config['errors.deadletterqueue.topic.name']
  }

  report(raw: ConsumerRecord, error: StageError): void {
    const withContext = this.#config['errors.deadletterqueue.context.headers.enable']
    const record: ProducerRecord = {
      topic: this.#topic,
      key: raw.key,
      value: raw.value,
      timestamp: raw.timestampType === -1 ? null : raw.timestamp,
      headers: withContext ? [...raw.headers, ...this.#headers(raw, error)] : raw.headers,
    }
    this.#metrics.deadLetterRequests++
    if (this.#waiting.length > 0 || !this.#producer.append(record, this)) this.#waiting.push(record)
  }

  onDelivery(_token: number, error: Error | null): void {
    if (error) {
      this.#metrics.deadLetterFailures++
      const params = { topic: this.#topic, cause: messageOf(error) }
      this.#failure ??= errors.create('MR_TASK_DLQ', params, { cause: error })
    }
  }

  /**
   * Whether records wait for space in the producer, or the queue has failed. In both cases,
   * `settled` must be awaited before the next batch.
   */
  get congested(): boolean {
    return this.#waiting.length > 0 || this.#failure !== null
  }

  /** Resolves when all reported records are acknowledged. Rejects if a record was not written. */
  async settled(signal?: AbortSignal): Promise<void> {
    if (this.#waiting.length > 0) {
      this.#draining ??= this.#drain(signal).finally(() => {
        this.#draining = null
      })
      await this.#draining
    }
    await this.#producer.flush(signal)
    if (this.#failure) throw this.#failure
  }

  async close(): Promise<void> {
    await this.#producer.close({ timeoutMs: 0 })
  }

  async #drain(signal?: AbortSignal): Promise<void> {
    while (this.#waiting.length > 0) {
      if (this.#producer.append(this.#waiting[0]!, this)) this.#waiting.shift()
      else await this.#producer.room(signal)
    }
  }

  #headers(raw: ConsumerRecord, error: StageError): { key: string; value: Buffer | null }[] {
    const cause = error.cause
    const text: [string, string][] = [
      ['topic', raw.topic],
      ['partition', String(raw.partition)],
      ['offset', String(raw.offset)],
      ['connector.name', this.#context.connector],
      ['task.id', String(this.#context.taskId)],
      ['stage', error.stage],
      ['class.name', error.className],
      ['exception.class.name', javaClassOf(cause)],
      ['exception.message', redact(messageOf(cause))],
      ['exception.stacktrace', javaTraceOf(cause)],
    ]
    return text.map(([key, value]) => ({ key: PREFIX + key, value: Buffer.from(value) }))
  }
}
