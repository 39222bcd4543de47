import type { Props } from '../../connect/props.ts'
import type { ConfigState } from '../storage/config-state.ts'
import type { StatusStore, UnitState, UnitStatus } from '../storage/status-store.ts'
import type { Launcher } from './launcher.ts'

export type ConnectorType = 'source' | 'sink' | 'unknown'

export interface ConnectorInfo {
  readonly name: string
  readonly config: Props
  readonly tasks: readonly { readonly connector: string; readonly task: number }[]
  readonly type: ConnectorType
}

export interface StateInfo {
  readonly state: UnitState
  readonly worker_id: string
  readonly version?: string
  readonly trace?: string
}

export type TaskStateInfo = { readonly id: number } & StateInfo

export interface ConnectorStateInfo {
  readonly name: string
  readonly connector: StateInfo
  readonly tasks: readonly TaskStateInfo[]
  readonly type: ConnectorType
}

/** Builds the REST answers about connectors. */
export class Views {
  readonly #state: ConfigState
  readonly #statuses: StatusStore
  readonly #launcher: Launcher

  constructor(state: ConfigState, statuses: StatusStore, launcher: Launcher) {
    this.#state = state
    this.#statuses = statuses
    this.#launcher = launcher
  }

  typeOf(config: Props | null): ConnectorType {
    if (!config) return 'unknown'
    try {
      return this.#launcher.typeOf(config)
    } catch {
      return 'unknown'
    }
  }

  info(name: string, shown: Props): ConnectorInfo {
    const tasks = this.#state.tasks(name).map((_, task) => ({ connector: name, task }))
    return { name, config: shown, tasks, type: this.typeOf(this.#state.config(name)) }
  }

  /** Returns the status of a connector; null if it has none. */
  status(name: string): ConnectorStateInfo | null {
    const config = this.#state.config(name)
    const status = this.#statuses.connector(name)
    if (!status) return null
    return {
      name,
      connector: stateInfo(status),
      tasks: this.#statuses.tasks(name).map(([id, task]) => ({ id, ...stateInfo(task) })),
      type: this.typeOf(config),
    }
  }

  taskStatus(name: string, task: number): TaskStateInfo | null {
    const status = this.#statuses.task(name, task)
    return status && { id: task, ...stateInfo(status) }
  }
}

function stateInfo(s: UnitStatus): StateInfo {
  return {
    state: s.state,
    worker_id: s.workerId,
    ...(s.version === null ? {} : { version: s.version }),
    ...(s.trace === null ? {} : { trace: s.trace }),
  }
}
