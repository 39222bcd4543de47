import { backoff } from '../../common/async/backoff.ts'
import { orAbort } from '../../common/async/or-abort.ts'
import { sleepOrAbort } from '../../common/async/sleep.ts'
import { isRetriable, messageOf } from '../../common/errors/error-table.ts'
import type { Logger } from '../../common/log.ts'
import { asObject, type Json, parseJson, renderJson } from './connect-json.ts'
import { TopicLog, type TopicLogOptions } from './topic-log.ts'

export type UnitState = 'UNASSIGNED' | 'RUNNING' | 'PAUSED' | 'FAILED' | 'RESTARTING' | 'STOPPED' | 'DESTROYED'

/** The state of a connector or a task. The status topic stores it, and REST shows it. */
export interface UnitStatus {
  readonly state: UnitState
  /** For a FAILED unit, its failure. Otherwise what the unit is waiting for, or null. */
  readonly trace: string | null
  readonly workerId: string
  /** The generation of the worker group in which the status was written. */
  readonly generation: number
  readonly version: string | null
}

export interface TopicStatus {
  readonly topic: string
  readonly connector: string
  readonly task: number
  readonly discoveredAt: number
}

const statusKeys = {
  connector: (name: string) => `status-connector-${name}`,
  task: (name: string, task: number) => `status-task-${name}-${task}`,
  topic: (topic: string, connector: string) => `status-topic-${topic}:connector-${connector}`,
}

function renderStatus(s: UnitStatus): string {
  return renderJson({
    state: s.state,
    trace: s.trace,
    worker_id: s.workerId,
    generation: s.generation,
    version: s.version,
  })
}

const text = (value: Json | undefined): string | null => (typeof value === 'string' ? value : null)

function parseStatus(json: { [key: string]: Json }): UnitStatus | null {
  const state = text(json['state'])
  if (state === null) return null
  return {
    state: state as UnitState,
    trace: text(json['trace']),
    workerId: text(json['worker_id']) ?? '',
    generation: Number(json['generation'] ?? -1),
    version: text(json['version']),
  }
}

/** Stores statuses so that other workers, and this worker after a restart, can read them. */
export interface StatusSink {
  start(apply: (key: string, value: string | null) => void): Promise<void>
  /**
   * Stores a status. Retriable errors are retried. If several values of a key wait to be written,
   * only the latest is written.
   */
  put(key: string, value: string | null): void
  close(): Promise<void>
}

/**
 * The statuses of all connectors, tasks and topics that this worker and other workers have written.
 */
export class StatusStore {
  readonly #connectors = new Map<string, UnitStatus>()
  readonly #tasks = new Map<string, Map<number, UnitStatus>>()
  readonly #topics = new Map<string, Map<string, TopicStatus>>()
  readonly #sink: StatusSink | null

  /** In standalone mode the sink is null, and statuses are only in memory. */
  constructor(sink: StatusSink | null) {
    this.#sink = sink
  }

  async start(): Promise<void> {
    await this.#sink?.start((key, value) => this.#apply(key, value))
  }

  async close(): Promise<void> {
    await this.#sink?.close()
  }

  connector(name: string): UnitStatus | null {
    return this.#connectors.get(name) ?? null
  }

  task(name: string, task: number): UnitStatus | null {
    return this.#tasks.get(name)?.get(task) ?? null
  }

  /** Returns the statuses of a connector's tasks, sorted by task number. */
  tasks(name: string): [number, UnitStatus][] {
    return [...(this.#tasks.get(name) ?? [])].sort(([a], [b]) => a - b)
  }

  topics(connector: string): TopicStatus[] {
    return [...(this.#topics.get(connector)?.values() ?? [])]
  }

  /** Stores the status of a connector. Null removes the status. */
  putConnector(name: string, status: UnitStatus | null): void {
    this.#put(statusKeys.connector(name), status && renderStatus(status))
  }

  putTask(name: string, task: number, status: UnitStatus | null): void {
    this.#put(statusKeys.task(name, task), status && renderStatus(status))
  }

  putTopic(status: TopicStatus): void {
    const { topic, connector, task, discoveredAt } = status
    const value = { topic: { name: topic, connector, task, discoverTimestamp: discoveredAt } }
    this.#put(statusKeys.topic(topic, connector), renderJson(value))
  }

  /** Removes the statuses of the topics that a connector has used. */
  resetTopics(connector: string): void {
    for (const { topic } of this.topics(connector)) this.#put(statusKeys.topic(topic, connector), null)
  }

  /** Removes all statuses of a connector, its tasks and its topics. */
  remove(connector: string): void {
    if (this.#connectors.has(connector)) this.putConnector(connector, null)
    for (const [task] of this.tasks(connector)) this.putTask(connector, task, null)
    this.resetTopics(connector)
  }

  /**
   * Removes the statuses that are not `known`, for example those that a killed worker has left
   * behind. For a connector and its topics, `known` is called with the task null.
   */
  retain(known: (connector: string, task: number | null) => boolean): void {
    const names = new Set([...this.#connectors.keys(), ...this.#tasks.keys(), ...this.#topics.keys()])
    for (const name of names) {
      if (!known(name, null)) this.remove(name)
      for (const [task] of this.tasks(name)) if (!known(name, task)) this.putTask(name, task, null)
    }
  }

  #put(key: string, value: string | null): void {
    this.#apply(key, value)
    this.#sink?.put(key, value)
  }

  #apply(key: string, value: string | null): void {
    let json: { [key: string]: Json } | null = null
    try {
      json = value === null ? null : asObject(parseJson(value))
    } catch {
      return
    }
    if (value !== null && !json) return
    if (key.startsWith('status-connector-')) {
      setOrDelete(this.#connectors, key.slice(17), json && parseStatus(json))
      return
    }
    const task = /^status-task-(.+)-(\d+)$/s.exec(key)
    if (task) {
      setInner(this.#tasks, task[1]!, Number(task[2]), json && parseStatus(json))
      return
    }
    const topic = /^status-topic-([^:]+):connector-(.*)$/s.exec(key)
    if (topic) this.#applyTopic(topic[1]!, topic[2]!, json)
  }

  #applyTopic(topic: string, connector: string, json: { [key: string]: Json } | null): void {
    const at = asObject(json?.['topic'])
    const task = Number(at?.['task'] ?? 0)
    const discoveredAt = Number(at?.['discoverTimestamp'] ?? 0)
    setInner(this.#topics, connector, topic, json && { topic, connector, task, discoveredAt })
  }
}

/** Sets the value, or deletes it if it is null. An inner map that becomes empty is deleted. */
function setInner<K, L, V>(map: Map<K, Map<L, V>>, key: K, at: L, value: V | null): void {
  const found = map.get(key) ?? new Map<L, V>()
  setOrDelete(found, at, value)
  setOrDelete(map, key, found.size === 0 ? null : found)
}

function setOrDelete<K, V>(map: Map<K, V>, key: K, value: V | null): void {
  if (value === null) map.delete(key)
  else map.set(key, value)
}

/**
 * Writes statuses to the status topic. While the topic cannot be written, only the latest value of
 * each key is kept. A record that is read back is ignored while this worker is still writing a
 * newer one for its key. A new status is therefore visible at once, and no older status replaces
 * it.
 */
export class TopicStatusSink implements StatusSink {
  readonly #log: TopicLog
  readonly #logger: Logger
  readonly #waiting = new Map<string, string | null>()
  /** The number of records, by key, that were put and have not been read back. */
  readonly #pending = new Map<string, number>()
  readonly #stop = new AbortController()
  #apply: (key: string, value: string | null) => void = () => {}
  #writing: Promise<void> | null = null

  constructor(options: Omit<TopicLogOptions, 'onRecord'>) {
    this.#logger = options.logger
    this.#log = new TopicLog({ ...options, onRecord: record => this.#read(record.key, record.value) })
  }

  async start(apply: (key: string, value: string | null) => void): Promise<void> {
    this.#apply = apply
    await this.#log.start()
  }

  put(key: string, value: string | null): void {
    if (!this.#waiting.has(key)) this.#pending.set(key, (this.#pending.get(key) ?? 0) + 1)
    this.#waiting.set(key, value)
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null
    })
  }

  async close(): Promise<void> {
    const timer = setTimeout(() => this.#stop.abort(new Error('the worker is stopping')), 3000)
    await this.#writing
    clearTimeout(timer)
    await this.#log.close()
  }

  async #write(): Promise<void> {
    const { signal } = this.#stop
    const delays = backoff({ initialMs: 500, maxMs: 5000 })
    while (this.#waiting.size > 0 && !signal.aborted) {
      const records = [...this.#waiting].map(([key, value]) => ({ key, value }))
      this.#waiting.clear()
      try {
        await orAbort(this.#log.append(records), signal)
        delays.reset()
      } catch (error) {
        for (const { key, value } of records) {
          if (this.#waiting.has(key)) this.#decrementPending(key)
          else this.#waiting.set(key, value)
        }
        if (!isRetriable(error) || signal.aborted) {
          this.#logger.error(`Cannot write statuses: ${messageOf(error)}`)
          return
        }
        if (delays.attempts === 0) this.#logger.warn(`Cannot write statuses, retrying: ${messageOf(error)}`)
        await sleepOrAbort(delays.next(), signal)
      }
    }
  }

  #read(key: Buffer | null, value: Buffer | null): void {
    if (!key) return
    const name = key.toString()
    if (this.#pending.has(name) && this.#decrementPending(name) > 0) return
    this.#apply(name, value?.toString() ?? null)
  }

  #decrementPending(key: string): number {
    const left = (this.#pending.get(key) ?? 1) - 1
    if (left > 0) this.#pending.set(key, left)
    else this.#pending.delete(key)
    return left
  }
}
