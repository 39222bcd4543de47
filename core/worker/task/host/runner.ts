import { messageOf } from '../../../common/errors/error-table.ts'
import type { Logger } from '../../../common/log.ts'
import type { Clients } from '../../clients.ts'
import type { MetricsRecorder } from '../metrics.ts'
import type { Converters } from '../source/source-converter.ts'
import type { TransformChain } from '../transform-chain.ts'
import type { TaskSpec } from './messages-in.ts'
import type { Uplink } from './unit.ts'

/** What both kinds of runner offer. */
export interface Runner {
  pause(): void
  resume(): void
  run(): Promise<void>
  /** Closes the clients. Never rejects. */
  close(): Promise<void>
}

/** What a runner is made of, whatever its kind. */
export interface TaskParts {
  readonly unit: string
  readonly spec: TaskSpec
  readonly uplink: Uplink
  readonly chain: TransformChain
  readonly converters: Converters
  readonly metrics: MetricsRecorder
  readonly logger: Logger
  readonly abort: AbortController
  readonly clients: Clients
  onTopic(topic: string): void
  onDegraded(message: string | null, retryAt: number | null): void
}

/** From when on a call that has not returned shows in the status, ms. */
const SLOW_MS = 60_000

/** Calls a plugin; `tell` hears of it when that takes long, and again (null) when it is over. */
export async function tellingSlow<T>(
  what: string,
  call: () => Promise<T> | T,
  tell: (message: string | null) => void,
  slowMs = SLOW_MS,
): Promise<T> {
  const since = new Date()
  let told = false
  const timer = setTimeout(() => {
    told = true
    tell(`${what} has not returned since ${since.toISOString()}`)
  }, slowMs)
  try {
    return await call()
  } finally {
    clearTimeout(timer)
    if (told) tell(null)
  }
}

/** Closes plugins, all of them whatever one does. */
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

/** Stops a task whose `start` failed: that failure is the one worth telling. */
export async function stopQuietly(task: { stop(): Promise<void> | void }, logger: Logger): Promise<void> {
  try {
    await task.stop()
  } catch (error) {
    logger.debug(`stop after a failed start: ${messageOf(error)}`)
  }
}
