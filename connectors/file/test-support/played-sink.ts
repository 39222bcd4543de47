import type { Schema, SinkRecord } from 'millrace/connect'
import { parseSettings } from 'millrace/testing'
import { sinkConfig } from '../config.ts'
import { FileStreamSinkTask } from '../sink-task.ts'
import { memoryLogger } from './played-source.ts'

export function sinkRecord(value: unknown, valueSchema: Schema | null = null, offset = 0): SinkRecord {
  return {
    topic: 't',
    partition: 0,
    keySchema: null,
    key: null,
    valueSchema,
    value,
    timestamp: null,
    headers: [],
    offset,
    timestampType: 'CreateTime',
    originalTopic: 't',
    originalPartition: 0,
    originalOffset: offset,
  }
}

/** Runs a sink task as the runtime does, and records its calls of the context. */
export class PlayedSink {
  readonly task = new FileStreamSinkTask()
  readonly log: string[] = []
  readonly timeouts: number[] = []

  constructor(props: Record<string, string>) {
    this.task.context = {
      configs: props,
      version: 'test',
      logger: memoryLogger(this.log),
      signal: new AbortController().signal,
      connector: 'played',
      taskId: 0,
      assignment: () => [{ topic: 't', partition: 0 }],
      seek: () => {},
      timeout: ms => void this.timeouts.push(ms),
      pause: () => {},
      resume: () => {},
      requestCommit: () => {},
      errantRecordReporter: null,
    }
    this.task.start(parseSettings(sinkConfig, props))
  }

  put(...values: unknown[]): Promise<void> {
    return this.task.put(values.map(v => sinkRecord(v)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.task.stop()
  }
}
