import {
  primitive,
  type Schema,
  type SourceOffset,
  type SourcePartition,
  type SourceRecord,
  struct,
} from 'millrace/connect'

const keySchema: Schema = struct(
  { serverName: primitive('string') },
  { name: 'io.debezium.connector.common.ServerNameKey', version: 1 },
)
const valueSchema: Schema = struct(
  { ts_ms: primitive('int64') },
  { name: 'io.debezium.connector.common.Heartbeat', version: 1 },
)

/**
 * Emits a record every `heartbeat.interval.ms`, so that offsets advance even if there are no
 * events.
 */
export class Heartbeat {
  readonly #topic: string
  readonly #prefix: string
  readonly #interval: number
  #last: number

  /** `interval` is in milliseconds. 0 disables heartbeats. */
  constructor(topic: string, prefix: string, interval: number, now = Date.now()) {
    this.#topic = topic
    this.#prefix = prefix
    this.#interval = interval
    this.#last = now
  }

  get enabled(): boolean {
    return this.#interval > 0
  }

  /** Returns the milliseconds until the next heartbeat, or Infinity if heartbeats are disabled. */
  wait(now = Date.now()): number {
    return this.enabled ? Math.max(0, this.#last + this.#interval - now) : Number.POSITIVE_INFINITY
  }

  /** Returns a heartbeat record if it is due, otherwise null. */
  due(partition: SourcePartition, offset: SourceOffset, now = Date.now()): SourceRecord | null {
    if (!this.enabled || now < this.#last + this.#interval) return null
    this.#last = now
    return {
      topic: this.#topic,
      partition: 0,
      keySchema,
      key: { serverName: this.#prefix },
      valueSchema,
      value: { ts_ms: now },
      timestamp: null,
      headers: [],
      sourcePartition: partition,
      sourceOffset: offset,
    }
  }
}
