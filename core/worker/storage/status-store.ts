import { backoff } from '../../common/async/backoff.ts'
import { orAbort } from '../../common/async/or-abort.ts'
import { sleepOrAbort } from '../../common/async/sleep.ts'
import { isRetriable, messageOf } from '../../common/errors/error-table.ts'
import type { Logger } from '../../common/log.ts'
import { asObject, type Json, parseJson, renderJson } from './connect-json.ts'
import { TopicLog, type TopicLogOptions } from './topic-log.ts'

export type UnitState = 'UNASSIGNED' | 'RUNNING' | 'PAUSED' | 'FAILED' | 'RESTARTING' | 'STOPPED' | 'DESTROYED'

/** The state of a connector or a task, as the status topic keeps it and REST shows it. */
export interface UnitStatus {
  readonly state: UnitState
  /** Why it is FAILED; or what fails at present in something that runs on. */
  readonly trace: string | null
  readonly workerId: string
  /** The group's generation in which it was written. */
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

/** Where statuses go to be seen by other workers and by the next process. */
export interface StatusSink {
  start(apply: (key: string, value: string | null) => void): Promise<void>
  /** Never rejects: keeps trying while it can help. The latest value of a key wins. */
  put(key: string, value: string | null): void
  close(): Promise<void>
}

/** The statuses of all connectors, tasks and topics: what this worker wrote, and what it read of others. */
export class StatusStore {
  readonly #connectors = new Map<string, UnitStatus>()
  readonly #tasks = new Map<string, Map<number, UnitStatus>>()
  readonly #topics = new Map<string, Map<string, TopicStatus>>()
  readonly #sink: StatusSink | null

  /** Without a sink statuses live in memory only: standalone mode. */
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

  /** The statuses of a connector's tasks, by number. */
  tasks(name: string): [number, UnitStatus][] {
    return [...(this.#tasks.get(name) ?? [])].sort(([a], [b]) => a - b)
  }

  topics(connector: string): TopicStatus[] {
    return [...(this.#topics.get(connector)?.values() ?? [])]
  }

  /** Null removes the status. */
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

  /** Forgets which topics a connector has used. */
  resetTopics(connector: string): void {
    for (const { topic } of this.topics(connector)) this.#put(statusKeys.topic(topic, connector), null)
  }

  /** Removes everything about a connector. */
  remove(connector: string): void {
    if (this.#connectors.has(connector)) this.putConnector(connector, null)
    for (const [task] of this.tasks(connector)) this.putTask(connector, task, null)
    this.resetTopics(connector)
  }

  /** Removes what is not `known` (of a connector itself, and its topics: null): a worker that died may have left it. */
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

/** Of a connector that is gone nothing stays, not even an empty map. */
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
 * The status topic. Writes wait in a map by key, so what cannot be written for a while costs no more than one value a unit.
 * Records of this worker that come back are taken only when no newer one of its own is on its way, so that what was put
 * is seen at once and never flickers.
 */
export class TopicStatusSink implements StatusSink {
  readonly #log: TopicLog
  readonly #logger: Logger
  readonly #waiting = new Map<string, string | null>()
  readonly #ahead = new Map<string, number>()
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
    if (!this.#waiting.has(key)) this.#ahead.set(key, (this.#ahead.get(key) ?? 0) + 1)
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
          if (this.#waiting.has(key)) this.#fewerAhead(key)
          else this.#waiting.set(key, value)
        }
        if (!isRetriable(error) || signal.aborted) {
          this.#logger.error(`Statuses could not be written: ${messageOf(error)}`)
          return
        }
        if (delays.attempts === 0) this.#logger.warn(`Statuses wait to be written: ${messageOf(error)}`)
        await sleepOrAbort(delays.next(), signal)
      }
    }
  }

  #read(key: Buffer | null, value: Buffer | null): void {
    if (!key) return
    const name = key.toString()
    if (this.#ahead.has(name) && this.#fewerAhead(name) > 0) return
    this.#apply(name, value?.toString() ?? null)
  }

  #fewerAhead(key: string): number {
    const left = (this.#ahead.get(key) ?? 1) - 1
    if (left > 0) this.#ahead.set(key, left)
    else this.#ahead.delete(key)
    return left
  }
}
