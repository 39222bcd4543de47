import type { Producer } from '../../../client/types.ts'
import { createLogger } from '../../../common/log.ts'
import type { SourceTask } from '../../../connect/source-task.ts'
import { parseErrorConfig } from '../failures/error-config.ts'
import { ErrorPolicy } from '../failures/error-policy.ts'
import { MetricsRecorder } from '../metrics/recorder.ts'
import type { OffsetStore } from '../source/offset-store.ts'
import { describeSource, SourceRecordConverter } from '../source/source-converter.ts'
import type { SourceRunnerParts } from '../source/source-task-runner.ts'
import { TransformChain } from '../transform-chain.ts'
import { textConverters } from './text-converters.ts'

export interface TestParts {
  readonly task: SourceTask
  readonly producer: Producer
  readonly abort: AbortController
  /** Receives the offsets of each commit. */
  readonly put: OffsetStore['put']
  /** The connector's configuration, of which the error settings are used. */
  readonly props: Readonly<Record<string, string>>
  readonly chain?: TransformChain | undefined
  readonly drainTimeoutMs?: number
}

/** Returns the parts of a SourceTaskRunner with text converters and without committed offsets. */
export function sourceParts({ task, producer, abort, put, props, chain, drainTimeoutMs = 10_000 }: TestParts) {
  const metrics = new MetricsRecorder()
  const logger = createLogger('test.task')
  return {
    task,
    producer,
    abort,
    metrics,
    logger,
    converter: new SourceRecordConverter(chain ?? new TransformChain([]), textConverters, metrics.stages),
    policy: new ErrorPolicy({
      config: parseErrorConfig(props),
      reporters: [],
      metrics,
      signal: abort.signal,
      logger,
      describe: describeSource,
    }),
    offsets: {
      get: async (partitions: readonly unknown[]) => partitions.map(() => null),
      put,
      close: async () => undefined,
    },
    topics: null,
    offsetFlushIntervalMs: 60_000,
    drainTimeoutMs,
    onTopic: () => undefined,
    onDegraded: () => undefined,
  } satisfies SourceRunnerParts
}
