import type { Logger } from '../../common/log.ts'
import type { Props } from '../../connect/props.ts'
import { type ConfigEvent, ConfigState, configKeys, type SessionKey, type TargetState } from './config-state.ts'
import { renderJson } from './connect-json.ts'
import { TopicLog, type TopicLogOptions } from './topic-log.ts'

export interface ConfigEntry {
  readonly key: string
  readonly value: string | null
}

/** The log to which configuration records are written, and from which they are read. */
export interface ConfigLog {
  start(): Promise<void>
  /** Resolves when the records have been stored and applied. */
  write(entries: readonly ConfigEntry[]): Promise<void>
  close(): Promise<void>
}

/** The configuration log of standalone mode. It is only in memory. */
export class MemoryConfigLog implements ConfigLog {
  readonly #apply: (key: string, value: string | null) => void

  constructor(apply: (key: string, value: string | null) => void) {
    this.#apply = apply
  }

  async start(): Promise<void> {}

  async write(entries: readonly ConfigEntry[]): Promise<void> {
    for (const { key, value } of entries) this.#apply(key, value)
  }

  async close(): Promise<void> {}
}

/**
 * Stores the configurations of all connectors. Changes are written to the log, and the records of
 * the log update `state`. `onEvent` receives the changes that are made after `start`, but not those
 * that are replayed from the log.
 */
export class ConfigStore {
  readonly state = new ConfigState()
  readonly #log: ConfigLog
  #live = false

  constructor(
    log: (apply: (key: string, value: string | null) => void) => ConfigLog,
    onEvent: (event: ConfigEvent) => void,
  ) {
    this.#log = log((key, value) => {
      const event = this.state.apply(key, value)
      if (event && this.#live) onEvent(event)
    })
  }

  async start(): Promise<void> {
    await this.#log.start()
    this.#live = true
  }

  close(): Promise<void> {
    return this.#log.close()
  }

  /**
   * Writes a configuration. The target state is written first, so that no worker starts a connector
   * that should be stopped.
   */
  putConnector(name: string, config: Props, target: TargetState | null): Promise<void> {
    const entries: ConfigEntry[] = target === null ? [] : [targetEntry(name, target)]
    entries.push({ key: configKeys.connector(name), value: renderJson({ properties: config }) })
    return this.#log.write(entries)
  }

  removeConnector(name: string): Promise<void> {
    return this.#log.write([
      { key: configKeys.connector(name), value: null },
      { key: configKeys.target(name), value: null },
    ])
  }

  /**
   * Replaces all task configurations of a connector atomically. The new configurations take effect
   * with the commit record.
   */
  putTasks(name: string, configs: readonly Props[]): Promise<void> {
    const entries = configs.map((properties, i) => ({
      key: configKeys.task(name, i),
      value: renderJson({ properties }),
    }))
    return this.#log.write([...entries, { key: configKeys.commit(name), value: renderJson({ tasks: configs.length }) }])
  }

  /** Writes the target state. For STOPPED, the task configurations are removed first. */
  async putTarget(name: string, target: TargetState): Promise<void> {
    if (target === 'STOPPED') await this.putTasks(name, [])
    await this.#log.write([targetEntry(name, target)])
  }

  putRestart(name: string, includeTasks: boolean, onlyFailed: boolean): Promise<void> {
    const value = renderJson({ 'include-tasks': includeTasks, 'only-failed': onlyFailed })
    return this.#log.write([{ key: configKeys.restart(name), value }])
  }

  putLogger(namespace: string, level: string): Promise<void> {
    return this.#log.write([{ key: configKeys.logger(namespace), value: renderJson({ level }) }])
  }

  putSessionKey(key: SessionKey): Promise<void> {
    const value = { key: key.key, algorithm: key.algorithm, 'creation-timestamp': key.createdAt }
    return this.#log.write([{ key: configKeys.sessionKey, value: renderJson(value) }])
  }
}

function targetEntry(name: string, target: TargetState): ConfigEntry {
  const state = target === 'STOPPED' ? 'PAUSED' : target
  return { key: configKeys.target(name), value: renderJson({ state, 'state.v2': target }) }
}

/**
 * Returns a function that creates the config topic's log. The topic is compacted and has one
 * partition.
 */
export function topicConfigLog(
  options: Omit<TopicLogOptions, 'onRecord' | 'partitions' | 'singlePartition'>,
  logger: Logger,
): (apply: (key: string, value: string | null) => void) => ConfigLog {
  return apply =>
    new TopicLog({
      ...options,
      logger,
      partitions: 1,
      singlePartition: true,
      onRecord: record => {
        if (record.key) apply(record.key.toString(), record.value?.toString() ?? null)
      },
    })
}
