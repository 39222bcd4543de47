import { messageOf } from '../../../common/errors/error-table.ts'
import type { Logger } from '../../../common/log.ts'
import type { SourceLag } from '../../../connect/plugin-metrics.ts'
import type { SourceTask } from '../../../connect/source-task.ts'
import type { LagSample } from '../host/messages-out.ts'

/**
 * Returns a function that reads the lag of a task. The function returns null if the task reports no
 * lag. It also returns null if `lag` throws or returns an invalid value, so that the task's other
 * metrics are still exported. Only the first failure is logged.
 */
export function lagReader(task: Pick<SourceTask, 'lag'>, logger: Logger): () => LagSample | null {
  let warned = false
  return () => {
    try {
      const lag = task.lag?.() ?? null
      return lag === null ? null : sampleOf(lag)
    } catch (error) {
      if (!warned) logger.warn(`the method lag of the task failed, so the lag is not exported: ${messageOf(error)}`)
      warned = true
      return null
    }
  }
}

function sampleOf({ bytes, since }: SourceLag): LagSample {
  if (!isNumber(bytes) || !isNumber(since) || (bytes ?? 0) < 0)
    throw new TypeError('bytes must be null or at least 0, and since must be null or a number')
  return { bytes, records: null, caughtUp: since === null, since, measuredAt: Date.now(), partitions: [] }
}

const isNumber = (value: unknown): boolean => value === null || Number.isFinite(value)
