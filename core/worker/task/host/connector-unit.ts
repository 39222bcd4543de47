import { parseConfig } from '../../../common/config/parse.ts'
import { createLogger } from '../../../common/log.ts'
import type { SinkConnector, SourceConnector } from '../../../connect/connector.ts'
import type { Props } from '../../../connect/props.ts'
import { errors } from '../errors.ts'
import { failureOf } from '../failures/failure.ts'
import { learnSecrets } from '../failures/redact.ts'
import { kindOf } from '../kind-of.ts'
import type { OffsetStore } from '../source/offset-store.ts'
import { checkedOffsetReader } from './checked-offset-reader.ts'
import { HerderOffsetStore } from './herder-offset-store.ts'
import type { ConnectorSpec } from './messages-in.ts'
import { loadPlugin } from './plugin-loader.ts'
import { reportingSlowCall, SLOW_START_MS } from './runner.ts'
import type { Unit, UnitTools, Uplink } from './unit.ts'

/** A running connector. It divides the work into tasks, but does not process records. */
export class ConnectorUnit implements Unit {
  readonly unit: string
  readonly #connector: SourceConnector | SinkConnector
  readonly #uplink: Uplink
  readonly #offsets: OffsetStore | null
  readonly #abort = new AbortController()
  #reconfigureScheduled = false
  #ended = false

  private constructor(
    unit: string,
    connector: SourceConnector | SinkConnector,
    offsets: OffsetStore | null,
    uplink: Uplink,
  ) {
    this.unit = unit
    this.#connector = connector
    this.#offsets = offsets
    this.#uplink = uplink
  }

  /** Constructs the connector and awaits its `start`. Rejects if `start` fails. */
  static async start(unit: string, spec: ConnectorSpec, uplink: Uplink, tools: UnitTools = {}): Promise<ConnectorUnit> {
    const connector = await loadPlugin<SourceConnector | SinkConnector>(spec.plugin, ['start', 'taskConfigs'])
    learnSecrets(connector.config, spec.props)
    const settings = parseConfig(connector.config, spec.props)
    uplink.event({ type: 'loaded', unit })
    const { connector: name } = spec
    const logger = tools.logger ?? createLogger('millrace.connector', `[${name}|worker] `, { connector: name })
    const offsets = spec.type === 'source' ? new HerderOffsetStore(spec.connector, unit, uplink) : null
    const self = new ConnectorUnit(unit, connector, offsets, uplink)
    const reader = checkedOffsetReader(offsets ?? { get: async partitions => partitions.map(() => null) })
    connector.context = {
      configs: spec.props,
      version: connector.version ?? spec.plugin.version,
      requestTaskReconfiguration: () => self.#reconfigure(),
      raiseError: error => self.#raise(error),
      logger,
      signal: self.#abort.signal,
      offsets: reader,
    }
    try {
      const what = 'start of the connector'
      await reportingSlowCall(what, () => connector.start(settings), reportTo(uplink, unit), SLOW_START_MS)
    } catch (error) {
      self.#ended = true
      self.#abort.abort()
      await offsets?.close()
      throw error
    }
    return self
  }

  /**
   * Asks the connector for the configurations of at most `maxTasks` tasks. Throws MR_TASK_CONFIGS
   * for an invalid result. If such a result were stored, the tasks would fail at every start.
   */
  async taskConfigs(maxTasks: number): Promise<Props[]> {
    const configs: unknown = await reportingSlowCall(
      'taskConfigs of the connector',
      () => this.#connector.taskConfigs(maxTasks),
      reportTo(this.#uplink, this.unit),
      SLOW_START_MS,
    )
    const fault = taskConfigsFault(configs)
    if (fault !== null) throw errors.create('MR_TASK_CONFIGS', { what: fault })
    return configs as Props[]
  }

  async pause(): Promise<void> {}
  async resume(): Promise<void> {}

  async stop(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    this.#abort.abort()
    try {
      await this.#connector.stop()
    } finally {
      await this.#offsets?.close()
    }
  }

  // Sends at most one event per turn of the event loop, because a connector may request a
  // reconfiguration for each table that it finds.
  #reconfigure(): void {
    if (this.#reconfigureScheduled || this.#ended) return
    this.#reconfigureScheduled = true
    setImmediate(() => {
      this.#reconfigureScheduled = false
      if (!this.#ended) this.#uplink.event({ type: 'reconfigure', unit: this.unit })
    })
  }

  #raise(error: Error): void {
    if (this.#ended) return
    const event = { type: 'failed', unit: this.unit, failure: failureOf(error) } as const
    this.stop().then(
      () => this.#uplink.event(event),
      () => this.#uplink.event(event),
    )
  }
}

/** Returns a function that shows a message in the connector's status. Null removes the message. */
function reportTo(uplink: Uplink, unit: string): (message: string | null) => void {
  return message => uplink.event({ type: 'degraded', unit, message, retryAt: null })
}

/** Returns why something that `taskConfigs` returned is not a list of configurations, or null. */
function taskConfigsFault(returned: unknown): string | null {
  if (!Array.isArray(returned)) return kindOf(returned)
  for (const [i, config] of returned.entries()) {
    if (typeof config !== 'object' || config === null || Array.isArray(config) || config instanceof Map)
      return `a list with ${kindOf(config)} at index ${i}`
    // The value may be a secret, so the message does not contain it.
    const wrong = Object.entries(config).find(([, value]) => typeof value !== 'string')
    if (wrong) return `a list in which the value of ${wrong[0]} at index ${i} is ${kindOf(wrong[1])}, not a string,`
  }
  return null
}
