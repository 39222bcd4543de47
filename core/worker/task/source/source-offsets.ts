import { timerMs } from '../../../common/async/timer.ts'
import { messageOf } from '../../../common/errors/error-table.ts'
import type { Logger } from '../../../common/log.ts'
import type { SourceRecord } from '../../../connect/record.ts'
import type { SourceTask } from '../../../connect/source-task.ts'
import { errors } from '../errors.ts'
import type { MetricsRecorder } from '../metrics/recorder.ts'
import { positionFault } from './json-fault.ts'
import type { OffsetStore } from './offset-store.ts'
import type { SubmittedRecords } from './submitted-records.ts'

interface Parts {
  readonly task: SourceTask
  readonly offsets: OffsetStore
  readonly metrics: MetricsRecorder
  readonly logger: Logger
  readonly offsetFlushIntervalMs: number
}

/** Throws MR_TASK_SOURCE_OFFSET if a source partition or offset cannot be stored as JSON. */
export function checkPosition(position: Pick<SourceRecord, 'sourcePartition' | 'sourceOffset'>): void {
  const cause = positionFault(position)
  if (cause) throw errors.create('MR_TASK_SOURCE_OFFSET', { cause })
}

/**
 * Commits the offsets of a source task at an interval and when the task stops. A commit contains
 * the offsets that are already acknowledged, and does not wait for other acknowledgements. It
 * therefore cannot time out under load. Only one commit runs at a time.
 */
export class OffsetCommitter {
  readonly #submitted: SubmittedRecords
  readonly #parts: Parts
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #stopped = false
  readonly #onInvalid: (error: Error) => void

  constructor(submitted: SubmittedRecords, parts: Parts, onInvalid: (error: Error) => void) {
    this.#submitted = submitted
    this.#parts = parts
    this.#onInvalid = onInvalid
  }

  start(): void {
    this.#schedule()
  }

  /** Commits for the last time. Resolves when this commit has succeeded or failed. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.commit()
  }

  /**
   * Commits the acknowledged offsets. Never rejects: a failed commit is counted and logged, and its
   * offsets are part of the next commit.
   */
  commit(): Promise<void> {
    this.#running = this.#running.then(() => this.#commit())
    return this.#running
  }

  #schedule(): void {
    if (this.#stopped) return
    const run = () => void this.commit().then(() => this.#schedule())
    this.#timer = setTimeout(run, timerMs(this.#parts.offsetFlushIntervalMs))
  }

  async #commit(): Promise<void> {
    const { offsets, task, metrics, logger } = this.#parts
    const entries = this.#submitted.takeCommittable()
    if (entries.length === 0) return
    try {
      for (const [sourcePartition, sourceOffset] of entries) checkPosition({ sourcePartition, sourceOffset })
    } catch (error) {
      this.#onInvalid(error as Error)
      return
    }
    const startedAt = metrics.commitStarted()
    try {
      await offsets.put(entries)
      metrics.commitSucceeded(startedAt)
    } catch (error) {
      this.#submitted.restore(entries)
      metrics.offsetCommitFailures++
      logger.error(`Failed to commit offsets, will retry: ${messageOf(error)}`)
      return
    }
    try {
      await task.commit?.(entries)
    } catch (error) {
      logger.warn(`commit of the task failed: ${messageOf(error)}`, error)
    }
  }
}
