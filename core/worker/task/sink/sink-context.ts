import type { Consumer } from '../../../client/types.ts'
import type { Logger } from '../../../common/log.ts'
import type { PluginMetrics } from '../../../connect/plugin-metrics.ts'
import type { Props } from '../../../connect/props.ts'
import type { TopicPartition, TopicPartitionOffset } from '../../../connect/record.ts'
import type { ErrantRecordReporter, SinkTaskContext } from '../../../connect/sink-task.ts'
import { checkArgument, checkPartitions } from '../arguments.ts'
import { errors } from '../errors.ts'
import { offsetsFault } from './offsets-fault.ts'

interface Given {
  readonly configs: Props
  readonly version: string
  readonly logger: Logger
  readonly signal: AbortSignal
  readonly connector: string
  readonly taskId: number
  readonly errantRecordReporter: ErrantRecordReporter | null
  readonly metrics: PluginMetrics
}

/**
 * The context of a sink task. It stores the task's requests, such as `seek`, until the runner
 * handles them between two calls of `put`.
 */
export class SinkContext implements SinkTaskContext {
  readonly configs: Props
  readonly version: string
  readonly logger: Logger
  readonly signal: AbortSignal
  readonly connector: string
  readonly taskId: number
  readonly errantRecordReporter: ErrantRecordReporter | null
  readonly #consumer: Consumer
  readonly #metrics: PluginMetrics
  readonly #paused = new Map<string, TopicPartition>()
  #seeks: TopicPartitionOffset[] = []
  #timeoutMs: number | null = null
  #commitRequested = false

  constructor(consumer: Consumer, given: Given) {
    this.#consumer = consumer
    this.configs = given.configs
    this.version = given.version
    this.logger = given.logger
    this.signal = given.signal
    this.connector = given.connector
    this.taskId = given.taskId
    this.errantRecordReporter = given.errantRecordReporter
    this.#metrics = given.metrics
  }

  pluginMetrics(): PluginMetrics {
    return this.#metrics
  }

  assignment(): readonly TopicPartition[] {
    return this.#consumer.assignment()
  }

  seek(offsets: readonly TopicPartitionOffset[]): void {
    const fault = offsetsFault(offsets)
    if (fault !== null)
      throw errors.create('MR_TASK_ARGUMENT', { method: 'seek', what: fault, expected: 'a list of offsets' })
    this.#seeks.push(...offsets)
  }

  timeout(ms: number): void {
    checkArgument(Number.isFinite(ms), 'timeout', ms, 'a number of milliseconds')
    this.#timeoutMs = ms
  }

  pause(partitions: readonly TopicPartition[]): void {
    checkPartitions('pause', partitions)
    for (const p of partitions) this.#paused.set(`${p.topic}-${p.partition}`, p)
    this.#consumer.pause(this.#assigned(partitions))
  }

  resume(partitions: readonly TopicPartition[]): void {
    checkPartitions('resume', partitions)
    for (const p of partitions) this.#paused.delete(`${p.topic}-${p.partition}`)
    this.#consumer.resume(this.#assigned(partitions))
  }

  requestCommit(): void {
    this.#commitRequested = true
  }

  /**
   * Returns whether the task has paused the partition. The runner must not resume such a partition.
   */
  isPaused(p: TopicPartition): boolean {
    return this.#paused.has(`${p.topic}-${p.partition}`)
  }

  takeSeeks(): TopicPartitionOffset[] {
    const seeks = this.#seeks
    if (seeks.length > 0) this.#seeks = []
    return seeks
  }

  takeTimeout(): number | null {
    const ms = this.#timeoutMs
    this.#timeoutMs = null
    return ms
  }

  takeCommitRequest(): boolean {
    const requested = this.#commitRequested
    this.#commitRequested = false
    return requested
  }

  forget(partitions: readonly TopicPartition[]): void {
    const removed = new Set(partitions.map(p => `${p.topic}-${p.partition}`))
    for (const key of removed) this.#paused.delete(key)
    this.#seeks = this.#seeks.filter(s => !removed.has(`${s.topic}-${s.partition}`))
  }

  #assigned(partitions: readonly TopicPartition[]): TopicPartition[] {
    const assigned = new Set(this.#consumer.assignment().map(p => `${p.topic}-${p.partition}`))
    return partitions.filter(p => assigned.has(`${p.topic}-${p.partition}`))
  }
}
