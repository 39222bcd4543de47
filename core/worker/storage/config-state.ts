import type { Props } from '../../connect/props.ts'
import { asObject, type Json, parseJson } from './connect-json.ts'

/**
 * The target state of a connector. It is stored in the field `state.v2`. The field `state` is for
 * workers before 3.5. These workers do not support STOPPED, so `state` then contains PAUSED.
 */
export type TargetState = 'STARTED' | 'PAUSED' | 'STOPPED'

const INITIAL: Readonly<Record<string, TargetState>> = { RUNNING: 'STARTED', PAUSED: 'PAUSED', STOPPED: 'STOPPED' }

/**
 * Parses the `initial_state` of a request, ignoring case. Returns null if it is not set, and
 * undefined if it is invalid.
 */
export function initialTarget(state: unknown): TargetState | null | undefined {
  return state === null || state === undefined ? null : INITIAL[String(state).toUpperCase()]
}

export interface SessionKey {
  /** The key, encoded as Base64. */
  readonly key: string
  readonly algorithm: string
  /** The creation time, ms since 1970. */
  readonly createdAt: number
}

/** A change that results from a record of the config topic. */
export type ConfigEvent =
  | { readonly type: 'connector' | 'removed' | 'tasks' | 'target'; readonly name: string }
  | { readonly type: 'restart'; readonly name: string; readonly includeTasks: boolean; readonly onlyFailed: boolean }
  | { readonly type: 'logger'; readonly namespace: string; readonly level: string }
  | { readonly type: 'session-key' }

interface Connector {
  readonly config: Props
  readonly revision: number
}

interface Tasks {
  readonly configs: readonly Props[]
  readonly revision: number
  /**
   * The connector's configuration when the tasks were committed. Tasks also use keys of the
   * connector.
   */
  readonly applied: Props | null
}

const NO_TASKS: Tasks = { configs: [], revision: 0, applied: null }
const TARGETS = new Set<string>(['STARTED', 'PAUSED', 'STOPPED'])

export const configKeys = {
  connector: (name: string) => `connector-${name}`,
  task: (name: string, task: number) => `task-${name}-${task}`,
  commit: (name: string) => `commit-${name}`,
  target: (name: string) => `target-state-${name}`,
  restart: (name: string) => `restart-connector-${name}`,
  logger: (namespace: string) => `logger-cluster-${namespace}`,
  sessionKey: 'session-key',
}

function propsOf(value: Json | undefined): Props | null {
  const object = asObject(value)
  if (!object) return null
  const given = Object.entries(object).filter(([, item]) => item !== null)
  return Object.fromEntries(given.map(([key, item]) => [key, String(item)]))
}

/**
 * The state that results from the records of the config topic. It depends only on the records, so
 * it is the same on every worker. As in Connect, task configurations take effect with a commit
 * record, and only if none of them is missing.
 */
export class ConfigState {
  readonly #connectors = new Map<string, Connector>()
  readonly #targets = new Map<string, TargetState>()
  readonly #tasks = new Map<string, Tasks>()
  readonly #deferred = new Map<string, Map<number, Props>>()
  readonly #inconsistent = new Set<string>()
  readonly #loggers = new Map<string, string>()
  #sessionKey: SessionKey | null = null
  #revision = 0

  get connectors(): readonly string[] {
    return [...this.#connectors.keys()]
  }

  get sessionKey(): SessionKey | null {
    return this.#sessionKey
  }

  get loggers(): ReadonlyMap<string, string> {
    return this.#loggers
  }

  /**
   * Returns the stored configuration, in which config provider references are not resolved; null
   * for an unknown connector.
   */
  config(name: string): Props | null {
    return this.#connectors.get(name)?.config ?? null
  }

  /**
   * Returns a number that increases with every write of the configuration; 0 for an unknown
   * connector.
   */
  configRevision(name: string): number {
    return this.#connectors.get(name)?.revision ?? 0
  }

  target(name: string): TargetState {
    return this.#targets.get(name) ?? 'STARTED'
  }

  /**
   * Returns the committed task configurations; an empty list if tasks were missing at the last
   * commit.
   */
  tasks(name: string): readonly Props[] {
    return this.#inconsistent.has(name) ? [] : (this.#tasks.get(name) ?? NO_TASKS).configs
  }

  /**
   * Returns a number that increases with every commit of task configurations; 0 before the first
   * commit.
   */
  taskRevision(name: string): number {
    return (this.#tasks.get(name) ?? NO_TASKS).revision
  }

  /** Returns the connector's configuration at the time when its tasks were committed. */
  appliedConfig(name: string): Props | null {
    return (this.#tasks.get(name) ?? NO_TASKS).applied
  }

  /**
   * Returns whether tasks were missing at the last commit record. All tasks must then be written
   * again.
   */
  inconsistent(name: string): boolean {
    return this.#inconsistent.has(name)
  }

  /**
   * Applies a record. Returns the change, or null if the record changes nothing or cannot be
   * parsed.
   */
  apply(key: string, value: string | null): ConfigEvent | null {
    let json: { [key: string]: Json } | null = null
    if (value !== null) {
      try {
        json = asObject(parseJson(value))
      } catch {
        return null
      }
      if (!json) return null
    }
    if (key === configKeys.sessionKey) return this.#applySessionKey(json)
    const task = /^task-(.+)-(\d+)$/s.exec(key)
    if (task) return this.#applyTask(task[1]!, Number(task[2]), json)
    if (key.startsWith('target-state-')) return this.#applyTarget(key.slice(13), json)
    if (key.startsWith('restart-connector-')) return this.#applyRestart(key.slice(18), json)
    if (key.startsWith('logger-cluster-')) return this.#applyLogger(key.slice(15), json)
    if (key.startsWith('connector-')) return this.#applyConnector(key.slice(10), json)
    if (key.startsWith('commit-')) return this.#applyCommit(key.slice(7), json)
    return null
  }

  #applyConnector(name: string, json: { [key: string]: Json } | null): ConfigEvent | null {
    if (json === null) {
      this.#deferred.delete(name)
      this.#tasks.delete(name)
      this.#inconsistent.delete(name)
      return this.#connectors.delete(name) ? { type: 'removed', name } : null
    }
    const config = propsOf(json['properties'])
    if (!config) return null
    this.#connectors.set(name, { config, revision: ++this.#revision })
    return { type: 'connector', name }
  }

  #applyTask(name: string, task: number, json: { [key: string]: Json } | null): null {
    const props = json && propsOf(json['properties'])
    if (!props) return null
    let deferred = this.#deferred.get(name)
    if (!deferred) this.#deferred.set(name, (deferred = new Map()))
    deferred.set(task, props)
    return null
  }

  #applyCommit(name: string, json: { [key: string]: Json } | null): ConfigEvent | null {
    const deferred = this.#deferred.get(name) ?? new Map<number, Props>()
    this.#deferred.delete(name)
    const count = Number(json?.['tasks'])
    // Compaction may keep the commit record of a deleted connector. The record must not affect a
    // new connector with the same name.
    if (!Number.isInteger(count) || count < 0 || !this.#connectors.has(name)) return null
    const configs = Array.from({ length: count }, (_, i) => deferred.get(i))
    if (configs.some(c => c === undefined)) {
      this.#inconsistent.add(name)
    } else {
      this.#inconsistent.delete(name)
      this.#tasks.set(name, {
        configs: configs as Props[],
        revision: ++this.#revision,
        applied: this.config(name),
      })
    }
    return { type: 'tasks', name }
  }

  #applyTarget(name: string, json: { [key: string]: Json } | null): ConfigEvent | null {
    if (json === null) {
      this.#targets.delete(name)
      return this.#connectors.has(name) ? { type: 'target', name } : null
    }
    const state = json['state.v2'] ?? json['state']
    if (typeof state !== 'string' || !TARGETS.has(state)) return null
    this.#targets.set(name, state as TargetState)
    return { type: 'target', name }
  }

  #applyRestart(name: string, json: { [key: string]: Json } | null): ConfigEvent | null {
    if (json === null) return null
    const includeTasks = json['include-tasks'] === true
    const onlyFailed = json['only-failed'] === true
    return { type: 'restart', name, includeTasks, onlyFailed }
  }

  #applyLogger(namespace: string, json: { [key: string]: Json } | null): ConfigEvent | null {
    const level = json?.['level']
    if (typeof level !== 'string') return null
    this.#loggers.set(namespace, level)
    return { type: 'logger', namespace, level }
  }

  #applySessionKey(json: { [key: string]: Json } | null): ConfigEvent | null {
    const key = json?.['key']
    const algorithm = json?.['algorithm']
    if (typeof key !== 'string' || typeof algorithm !== 'string') return null
    this.#sessionKey = { key, algorithm, createdAt: Number(json?.['creation-timestamp'] ?? 0) }
    return { type: 'session-key' }
  }
}
