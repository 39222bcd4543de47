import { sleep } from '../../../common/async/sleep.ts'
import { isRetriable, messageOf } from '../../../common/errors/error-table.ts'
import type { Logger } from '../../../common/log.ts'
import { errors } from '../errors.ts'
import type { MetricsRecorder } from '../metrics/recorder.ts'
import type { ErrorConfig } from './error-config.ts'

/** Where in a record's way something failed; Connect's names, which dead letter headers carry. */
export type Stage =
  | 'TRANSFORMATION'
  | 'KEY_CONVERTER'
  | 'VALUE_CONVERTER'
  | 'HEADER_CONVERTER'
  | 'TASK_PUT'
  | 'TASK_POLL'
  | 'KAFKA_PRODUCE'

/** The class that Connect names for errors that a sink task reports or throws. */
export const SINK_TASK = 'org.apache.kafka.connect.sink.SinkTask'

/** An error with the stage and the class that it happened in. */
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

/** Takes bad records: the log, a dead letter queue. Told only, it decides nothing. */
export interface ErrorReporter<R> {
  report(record: R, error: StageError): void
}

/** First wait between two tries, ms; it doubles up to `errors.retry.delay.max.ms`. */
const RETRY_DELAY_MIN_MS = 300

/**
 * What happens to a record that fails on its way (Connect's RetryWithToleranceOperator): it is tried again while its error is
 * retriable and `errors.retry.timeout` lasts, then skipped and reported (`errors.tolerance=all`) or fails the task.
 */
export class ErrorPolicy<R> {
  readonly config: ErrorConfig
  readonly #reporters: readonly ErrorReporter<R>[]
  readonly #metrics: MetricsRecorder
  readonly #signal: AbortSignal
  readonly #logger: Logger
  readonly #describe: (record: R) => string

  constructor(
    config: ErrorConfig,
    reporters: readonly ErrorReporter<R>[],
    metrics: MetricsRecorder,
    signal: AbortSignal,
    logger: Logger,
    describe: (record: R) => string,
  ) {
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
   * Goes on after `error`: the result of a later try, or undefined for a record to be skipped. Throws MR_TASK_RECORD_FAILED
   * when the task must fail.
   */
  async recover<T>(record: R, error: StageError, again: () => T): Promise<T | undefined> {
    const timeout = this.config['errors.retry.timeout']
    const deadline = timeout < 0 ? Number.POSITIVE_INFINITY : Date.now() + timeout
    let failed = error
    for (let delay = RETRY_DELAY_MIN_MS; failed.retriable && Date.now() + delay <= deadline; delay *= 2) {
      this.#metrics.retries++
      const wait = Math.min(delay, this.config['errors.retry.delay.max.ms'])
      await sleep(wait, this.#signal)
      try {
        return again()
      } catch (next) {
        if (!(next instanceof StageError)) throw next
        failed = next
      }
    }
    this.reject(record, failed)
    return undefined
  }

  /** Reports a record that is given up. Throws when the tolerance does not allow to go on without it. */
  reject(record: R, error: StageError): void {
    this.#metrics.recordErrors++
    this.#metrics.lastErrorAt = Date.now()
    if (this.config['errors.log.enable']) this.#metrics.errorsLogged++
    for (const reporter of this.#reporters) reporter.report(record, error)
    if (this.tolerant) {
      this.#metrics.recordsSkipped++
      if (!this.config['errors.log.enable']) this.#logger.debug(`skipped ${this.#describe(record)}: ${error.message}`)
      return
    }
    this.#metrics.recordFailures++
    throw errors.create(
      'MR_TASK_RECORD_FAILED',
      { record: this.#describe(record), stage: error.stage, class: error.className, cause: error.message },
      { cause: error.cause },
    )
  }
}

/** Writes bad records to the log (`errors.log.enable`). */
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
