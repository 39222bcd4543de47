import { sleep } from '../../../common/async/sleep.ts'
import { isRetriable, messageOf } from '../../../common/errors/error-table.ts'
import type { Logger } from '../../../common/log.ts'
import { errors } from '../errors.ts'
import type { MetricsRecorder } from '../metrics/recorder.ts'
import type { ErrorConfig } from './error-config.ts'

/**
 * The stage in which a record failed. The names are Connect's, because the headers of dead letters
 * contain them.
 */
export type Stage =
  | 'TRANSFORMATION'
  | 'KEY_CONVERTER'
  | 'VALUE_CONVERTER'
  | 'HEADER_CONVERTER'
  | 'TASK_PUT'
  | 'TASK_POLL'
  | 'KAFKA_PRODUCE'

/** The class name of failures that a sink task reports or throws. Connect uses the same name. */
export const SINK_TASK = 'org.apache.kafka.connect.sink.SinkTask'

/** An error, with the stage in which it occurred and the class that threw it. */
export class StageError extends Error {
  readonly stage: Stage
  readonly className: string
  readonly retriable: boolean

  constructor(stage: Stage, className: string, cause: unknown) {
    super(messageOf(cause), { cause })
    this.name = 'StageError'
    this.stage = stage
    this.className = className
    this.retriable = isRetriable(cause)
  }
}

/** Receives failed records, for example to write them to the log or a dead letter queue. */
export interface ErrorReporter<R> {
  report(record: R, error: StageError): void
}

/**
 * The first delay between two attempts, ms. The delay doubles up to `errors.retry.delay.max.ms`.
 */
const RETRY_DELAY_MIN_MS = 300

export interface ErrorPolicyOptions<R> {
  readonly config: ErrorConfig
  readonly reporters: readonly ErrorReporter<R>[]
  readonly metrics: MetricsRecorder
  /** Aborting this signal ends the retries. */
  readonly signal: AbortSignal
  readonly logger: Logger
  /** Returns a description of the record for error messages. */
  readonly describe: (record: R) => string
}

/**
 * Handles failed records, like Connect's RetryWithToleranceOperator. A retriable error is retried
 * for `errors.retry.timeout`. If the record still fails, it is reported. With
 * `errors.tolerance=all`, the record is then skipped. Otherwise, the task fails.
 */
export class ErrorPolicy<R> {
  readonly config: ErrorConfig
  readonly #reporters: readonly ErrorReporter<R>[]
  readonly #metrics: MetricsRecorder
  readonly #signal: AbortSignal
  readonly #logger: Logger
  readonly #describe: (record: R) => string

  constructor({ config, reporters, metrics, signal, logger, describe }: ErrorPolicyOptions<R>) {
    this.config = config
    this.#reporters = reporters
    this.#metrics = metrics
    this.#signal = signal
    this.#logger = logger
    this.#describe = describe
  }

  get tolerant(): boolean {
    return this.config['errors.tolerance'] === 'all'
  }

  /**
   * Retries a retriable error. Returns the result of a successful attempt, or undefined if the
   * record is skipped. Throws MR_TASK_RECORD_FAILED if the task must fail.
   */
  async recover<T>(record: R, error: StageError, retry: () => T): Promise<T | undefined> {
    const timeout = this.config['errors.retry.timeout']
    const deadline = timeout < 0 ? Number.POSITIVE_INFINITY : Date.now() + timeout
    let failed = error
    this.#metrics.recordFailures++
    for (let delay = RETRY_DELAY_MIN_MS; failed.retriable && Date.now() + delay <= deadline; delay *= 2) {
      this.#metrics.retries++
      const wait = Math.min(delay, this.config['errors.retry.delay.max.ms'])
      await sleep(wait, this.#signal)
      try {
        return retry()
      } catch (next) {
        if (!(next instanceof StageError)) throw next
        failed = next
        this.#metrics.recordFailures++
      }
    }
    this.#giveUp(record, failed)
    return undefined
  }

  /** Reports a failed record. Throws MR_TASK_RECORD_FAILED unless `errors.tolerance` is `all`. */
  reject(record: R, error: StageError): void {
    this.#metrics.recordFailures++
    this.#giveUp(record, error)
  }

  #giveUp(record: R, error: StageError): void {
    this.#metrics.recordErrors++
    this.#metrics.lastErrorAt = Date.now()
    if (this.config['errors.log.enable']) this.#metrics.errorsLogged++
    for (const reporter of this.#reporters) reporter.report(record, error)
    if (this.tolerant) {
      this.#metrics.recordsSkipped++
      if (!this.config['errors.log.enable']) this.#logger.debug(`skipped ${this.#describe(record)}: ${error.message}`)
      return
    }
    throw errors.create(
      'MR_TASK_RECORD_FAILED',
      { record: this.#describe(record), stage: error.stage, class: error.className, cause: error.message },
      { cause: error.cause },
    )
  }
}

/** Writes failed records to the log (`errors.log.enable`). */
export class LogReporter<R> implements ErrorReporter<R> {
  readonly #logger: Logger
  readonly #describe: (record: R) => string

  constructor(logger: Logger, describe: (record: R) => string) {
    this.#logger = logger
    this.#describe = describe
  }

  report(record: R, error: StageError): void {
    this.#logger.error(
      `Error encountered. Executing stage '${error.stage}' with class '${error.className}', where the record is ${this.#describe(record)}.`,
      error.cause,
    )
  }
}
