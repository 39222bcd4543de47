import { createHash } from 'node:crypto'
import type { Logger, Props, Schema, SinkRecord, SinkTaskContext } from 'millrace/connect'
import { parseSettings } from 'millrace/testing'
import { sleep } from '../../../core/common/async/sleep.ts'
import { config } from '../config.ts'
import { ElasticsearchSinkTask } from '../task.ts'

const silent: Logger = {
  name: 'test',
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
  isEnabled: () => false,
  withContext: () => silent,
}

/** Runs a task as the runtime does, with the records of one partition in order. */
export class Played {
  readonly task = new ElasticsearchSinkTask()
  readonly reported: { record: SinkRecord; error: Error }[] = []
  readonly warnings: string[] = []
  commitRequests = 0
  readonly topic: string
  readonly abort = new AbortController()
  readonly #offsets = new Map<number, number>()

  constructor(topic: string, options: { reporter?: boolean; logger?: Logger } = {}) {
    this.topic = topic
    const context: SinkTaskContext = {
      configs: {},
      version: 'test',
      logger: options.logger ?? { ...silent, warn: m => this.warnings.push(m) },
      signal: this.abort.signal,
      connector: 'test',
      taskId: 0,
      assignment: () => [{ topic, partition: 0 }],
      seek() {},
      timeout() {},
      pause() {},
      resume() {},
      requestCommit: () => void this.commitRequests++,
      errantRecordReporter: options.reporter
        ? { report: async (record, error) => void this.reported.push({ record, error }) }
        : null,
    }
    this.task.context = context
  }

  start(props: Props): void {
    this.task.context = { ...this.task.context, configs: props }
    this.task.start(parseSettings(config, props))
  }

  record(
    key: unknown,
    value: unknown,
    more: {
      valueSchema?: Schema
      keySchema?: Schema
      offset?: number
      headers?: SinkRecord['headers']
      partition?: number
      timestamp?: number
    } = {},
  ): SinkRecord {
    const partition = more.partition ?? 0
    const offset = more.offset ?? this.#offsets.get(partition) ?? 0
    this.#offsets.set(partition, offset + 1)
    return {
      topic: this.topic,
      partition,
      keySchema: more.keySchema ?? null,
      key,
      valueSchema: more.valueSchema ?? null,
      value,
      timestamp: more.timestamp ?? 1_700_000_000_000,
      timestampType: 'CreateTime',
      headers: more.headers ?? [],
      offset,
      originalTopic: this.topic,
      originalPartition: partition,
      originalOffset: offset,
    }
  }

  /** Puts records, then waits until all delivered offsets may be committed. */
  async write(records: SinkRecord[]): Promise<void> {
    await this.task.put(records)
    await this.settle()
  }

  /** Waits until all delivered offsets may be committed. */
  async settle(timeoutMs = 30_000): Promise<void> {
    const end = Date.now() + timeoutMs
    for (const [partition, offset] of this.#offsets) {
      while ((await this.committed(partition)) < offset) {
        if (Date.now() > end) throw new Error(`offset ${offset} is not committable after ${timeoutMs} ms`)
        await sleep(10)
      }
    }
  }

  /** The offset of a partition that may be committed. */
  async committed(partition = 0): Promise<number> {
    const offset = this.#offsets.get(partition) ?? 0
    const [safe] = await this.task.preCommit([{ topic: this.topic, partition, offset }])
    return safe!.offset
  }
}

/** A unique index name for this run. */
export function uniqueName(seed: string): string {
  return `t-${createHash('sha1').update(`${seed}${process.pid}${Date.now()}${Math.random()}`).digest('hex').slice(0, 16)}`
}
