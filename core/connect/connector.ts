import type { ConfigDef } from '../common/config/define.ts'
import type { ConfigValue } from '../common/config/parse.ts'
import type { Logger } from '../common/log.ts'
import type { OffsetReader } from './offset-reader.ts'
import type { Props } from './props.ts'
import type { SourceOffset, SourcePartition } from './record.ts'
import type { SinkTask } from './sink-task.ts'
import type { SourceTask } from './source-task.ts'

/** What the runtime offers a connector. */
export interface ConnectorContext {
  /** Asks the runtime to call `taskConfigs` again and replace the tasks. Cheap; requests are merged. */
  requestTaskReconfiguration(): void
  /** Reports an error that the connector cannot get over: it becomes FAILED with this error. */
  raiseError(error: Error): void
  readonly logger: Logger
  /** Aborted when the connector is asked to stop; every wait of the connector must end then. */
  readonly signal: AbortSignal
}

export interface SourceConnectorContext extends ConnectorContext {
  readonly offsets: OffsetReader
}

interface ConnectorBase {
  /** Called once, before any task exists. May check the outside world; must not block: it is awaited. */
  start(props: Props): Promise<void> | void
  /** The configuration of each task; at most `maxTasks` of them. */
  taskConfigs(maxTasks: number): Promise<Props[]> | Props[]
  stop(): Promise<void> | void
  /**
   * Checks beyond the declaration, such as a connection. Gets every value already validated by itself and adds to their
   * `errors`. Runs without `start`, in a thread of its own and under a time limit. Called with no secrets hidden.
   */
  validate?(props: Props, values: ConfigValue[], signal: AbortSignal): Promise<ConfigValue[]> | ConfigValue[]
}

/**
 * A source connector: knows what there is to read and splits it among tasks.
 * The class is constructed without arguments to read its `config` and `taskClass`.
 */
export abstract class SourceConnector implements ConnectorBase {
  static readonly connectorType = 'source'
  declare context: SourceConnectorContext
  /** The version shown by REST; SemVer. */
  abstract readonly version: string
  abstract readonly config: ConfigDef
  abstract readonly taskClass: new () => SourceTask
  abstract start(props: Props): Promise<void> | void
  abstract taskConfigs(maxTasks: number): Promise<Props[]> | Props[]
  abstract stop(): Promise<void> | void
  validate?(props: Props, values: ConfigValue[], signal: AbortSignal): Promise<ConfigValue[]> | ConfigValue[]
  /**
   * REST's PATCH and DELETE of offsets ask here first: true when the connector has taken care of them itself, throw to
   * refuse (ConnectException is answered as 400). A null offset is a reset. Default: the runtime writes them, unchecked.
   */
  alterOffsets?(props: Props, offsets: ReadonlyArray<readonly [SourcePartition, SourceOffset | null]>): Promise<boolean>
  /** Whether the connector can run exactly-once under this configuration. Default: not said. */
  exactlyOnceSupport?(props: Props): 'SUPPORTED' | 'UNSUPPORTED'
}

/** A sink connector. Topics are configured by the runtime's own `topics` and `topics.regex`. */
export abstract class SinkConnector implements ConnectorBase {
  static readonly connectorType = 'sink'
  declare context: ConnectorContext
  abstract readonly version: string
  abstract readonly config: ConfigDef
  abstract readonly taskClass: new () => SinkTask
  abstract start(props: Props): Promise<void> | void
  abstract taskConfigs(maxTasks: number): Promise<Props[]> | Props[]
  abstract stop(): Promise<void> | void
  validate?(props: Props, values: ConfigValue[], signal: AbortSignal): Promise<ConfigValue[]> | ConfigValue[]
}
