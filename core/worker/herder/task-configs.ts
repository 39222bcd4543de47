import { messageOf } from '../../common/errors/error-table.ts'
import type { Logger } from '../../common/log.ts'
import type { Props } from '../../connect/props.ts'
import type { ConfigState } from '../storage/config-state.ts'
import { canonicalJson } from '../storage/connect-json.ts'
import { failureOf } from '../task/failures/failure.ts'
import { connectorUnit } from '../task/host/messages-in.ts'
import type { Launcher } from './launcher.ts'
import type { SupervisedUnit } from './unit.ts'

/** The time limit for a connector's `taskConfigs()`, ms. */
const TASK_CONFIGS_TIMEOUT_MS = 60_000

export interface TaskConfigsOptions {
  readonly name: string
  readonly connector: SupervisedUnit
  readonly state: ConfigState
  readonly launcher: Launcher
  readonly logger: Logger
  /**
   * Writes new task configurations. Resolves when they have been read back from the config store.
   */
  readonly publish: (tasks: readonly Props[]) => Promise<void>
  /** Called after each attempt, whether it succeeded or failed. */
  readonly onDone: () => void
}

/**
 * Gets the task configurations from a running connector, and publishes them if they have changed.
 */
export class TaskConfigs {
  readonly #o: TaskConfigsOptions
  #phase: 'idle' | 'requested' | 'running' | 'running-and-requested' = 'idle'

  constructor(options: TaskConfigsOptions) {
    this.#o = options
  }

  /** Requests new task configurations. The next call of `update` gets them from the connector. */
  request(): void {
    const running = this.#phase === 'running' || this.#phase === 'running-and-requested'
    this.#phase = running ? 'running-and-requested' : 'requested'
  }

  /**
   * Starts a requested update if the connector is running. Returns without waiting for the update.
   */
  update(): void {
    if (this.#phase !== 'requested' || this.#o.connector.phase !== 'running') return
    this.#phase = 'running'
    void this.#run()
  }

  async #run(): Promise<void> {
    const { connector, logger, onDone } = this.#o
    try {
      await this.#generate()
    } catch (error) {
      if (connector.phase === 'running') {
        logger.error(`Cannot configure the tasks: ${messageOf(error)}`)
        connector.fail(failureOf(error))
      }
    } finally {
      this.#phase = this.#phase === 'running-and-requested' ? 'requested' : 'idle'
      onDone()
    }
  }

  async #generate(): Promise<void> {
    const { name, connector, state, launcher, publish } = this.#o
    const config = state.config(name)
    const { host } = connector
    if (!config || !host) return
    const resolved = launcher.resolve(config)
    const maxTasks = Number(resolved['tasks.max'] ?? 1)
    const timeoutMs = TASK_CONFIGS_TIMEOUT_MS
    const made = await host.request('task-configs', { unit: connectorUnit(name), maxTasks }, { timeoutMs })
    if (made.length > maxTasks && resolved['tasks.max.enforce']?.toLowerCase() !== 'false') {
      throw new Error(
        `The connector ${name} has generated ${made.length} tasks, which is greater than ${maxTasks}, the maximum number of tasks it is configured to create.`,
      )
    }
    const tasks = made.map(task => launcher.storedTask(config, task))
    if (this.#mustPublish(tasks, config)) await publish(tasks)
  }

  #mustPublish(tasks: readonly Props[], config: Props): boolean {
    const { name, state } = this.#o
    if (state.config(name) !== config || state.target(name) === 'STOPPED') return false
    return (
      state.taskRevision(name) === 0 ||
      state.inconsistent(name) ||
      canonicalJson(tasks) !== canonicalJson(state.tasks(name)) ||
      canonicalJson(config) !== canonicalJson(state.appliedConfig(name))
    )
  }
}
