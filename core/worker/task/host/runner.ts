import type { ConfigDef, ConfigValues } from '../../../common/config/define.ts'
import { messageOf } from '../../../common/errors/error-table.ts'
import type { Logger } from '../../../common/log.ts'
import type { MetricsRecorder } from '../metrics/recorder.ts'
import type { Converters } from '../source/source-converter.ts'
import type { TransformChain } from '../transform-chain.ts'
import type { TaskSpec } from './messages-in.ts'
import type { TaskClients } from './task-clients.ts'
import type { Uplink } from './unit.ts'

/** The operations that source and sink runners have in common. */
export interface Runner {
  pause(): void
  resume(): void
  run(): Promise<void>
  /** Closes the task's clients. Never rejects. */
  close(): Promise<void>
}

/** The dependencies that source and sink runners have in common. */
export interface TaskParts {
  readonly unit: string
  readonly spec: TaskSpec
  /** The parsed configuration that the task's `start` receives. */
  readonly settings: ConfigValues<ConfigDef>
  readonly uplink: Uplink
  readonly chain: TransformChain
  readonly converters: Converters
  readonly metrics: MetricsRecorder
  readonly logger: Logger
  readonly abort: AbortController
  readonly clients: TaskClients
  onTopic(topic: string): void
  onDegraded(message: string | null, retryAt: number | null): void
}

/** The time after which the status shows that a call of a plugin has not returned, ms. */
const SLOW_MS = 60_000

/**
 * The time after which the status shows that `start` or `taskConfigs` has not returned, ms. This
 * time is shorter, because there is no other sign of a plugin that hangs while it starts.
 */
export const SLOW_START_MS = 5000

/**
 * Calls a plugin. If the call has not returned after `slowMs`, `report` is called with a message.
 * When the reported call returns, `report` is called with null.
 */
export async function reportingSlowCall<T>(
  what: string,
  call: () => Promise<T> | T,
  report: (message: string | null) => void,
  slowMs = SLOW_MS,
): Promise<T> {
  const since = new Date()
  let reported = false
  const timer = setTimeout(() => {
    reported = true
    report(`${what} has not returned since ${since.toISOString()}`)
  }, slowMs)
  try {
    return await call()
  } finally {
    clearTimeout(timer)
    if (reported) report(null)
  }
}

/** Closes all plugins. An error of a `close` is only logged. */
export async function closeQuietly(
  plugins: readonly { close?(): Promise<void> | void }[],
  logger: Logger,
): Promise<void> {
  for (const plugin of plugins) {
    try {
      await plugin.close?.()
    } catch (error) {
      logger.warn(`close of a plugin failed: ${messageOf(error)}`, error)
    }
  }
}

/** The methods of a source or sink task that `startTask` calls. */
interface StartableTask {
  start(settings: ConfigValues<ConfigDef>): Promise<void> | void
  stop(): Promise<void> | void
}

/**
 * Starts a task. If `start` fails, stops the task, closes its clients with `close`, and throws the
 * error of `start`. An error of `stop` is only logged.
 */
export async function startTask(task: StartableTask, parts: TaskParts, close: () => Promise<void>): Promise<void> {
  try {
    await reportingSlowCall(
      'start',
      () => task.start(parts.settings),
      message => parts.onDegraded(message, null),
      SLOW_START_MS,
    )
  } catch (error) {
    try {
      await task.stop()
    } catch (failure) {
      parts.logger.debug(`stop failed after a failed start: ${messageOf(failure)}`)
    }
    await close()
    throw error
  }
}
