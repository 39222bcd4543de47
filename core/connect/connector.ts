import type { ConfigDef, ConfigValues } from '../common/config/define.ts'
import type { ConfigValue } from '../common/config/parse.ts'
import type { Logger } from '../common/log.ts'
import type { OffsetReader } from './offset-reader.ts'
import type { Props } from './props.ts'
import type { SourceOffset, SourcePartition } from './record.ts'
import type { SinkTask } from './sink-task.ts'
import type { SourceTask } from './source-task.ts'

/** The services of the runtime for a connector. Set before `start`. */
export interface ConnectorContext {
  /** The connector's configuration as text, with config providers resolved. */
  readonly configs: Props
  /** The version of the plugin. */
  readonly version: string
  readonly logger: Logger
  /** Aborts when the connector is asked to stop. Every wait of the connector must end then. */
  readonly signal: AbortSignal
  /** Asks the runtime to call `taskConfigs` again and to replace the tasks. Requests are merged. */
  requestTaskReconfiguration(): void
  /** Fails the connector with an error that it cannot recover from. */
  raiseError(error: Error): void
}

/** The services of the runtime for a source connector. */
export interface SourceConnectorContext extends ConnectorContext {
  /** Reads the source offsets that are committed. */
  readonly offsets: OffsetReader
}

/** The context of a connector's `validate`. */
export interface ValidateContext {
  /** The configuration as text. Secrets are not hidden. */
  readonly configs: Props
  /** The results of the checks of the declaration, one for each key. None has an error yet. */
  readonly values: readonly ConfigValue[]
  /** Aborts when the time limit of a validation has passed. */
  readonly signal: AbortSignal
  /** Adds an error to a key. A key outside of the declaration is added to the answer. */
  addError(key: string, message: string): void
}

/** Offsets that a user wants to set; null resets the offset of a partition. */
export type AlteredOffsets = ReadonlyArray<readonly [SourcePartition, SourceOffset | null]>

/** The base class of source and sink connectors. */
abstract class Connector<C extends ConfigDef> {
  /** The version that REST shows. Default: the version of the plugin's package. */
  declare readonly version?: string
  /** The configuration keys that users may set. */
  abstract readonly config: C

  /** Called once, before any task exists. `settings` are the parsed values of `config`. */
  start(_settings: ConfigValues<C>): Promise<void> | void {}

  /** Releases everything. No other method is called afterwards. */
  stop(): Promise<void> | void {}

  /**
   * Checks what the declaration cannot express, such as a connection or two keys that belong
   * together. Reports errors with `context.addError`. Called only if the declaration found no
   * error, without `start`, in a thread of its own and under a time limit.
   */
  validate?(settings: ConfigValues<C>, context: ValidateContext): Promise<void> | void
}

/**
 * A source connector: finds the data to read and divides it among tasks. The runtime constructs the
 * class without arguments, also to read `config` and `taskClass`.
 */
export abstract class SourceConnector<C extends ConfigDef = ConfigDef> extends Connector<C> {
  static readonly connectorType = 'source'
  declare context: SourceConnectorContext
  /** The class that reads one share of the source. */
  abstract readonly taskClass: new () => SourceTask

  /**
   * Returns the configuration of each task, at most `maxTasks` of them. Default: one task with the
   * connector's own configuration.
   */
  taskConfigs(_maxTasks: number): Promise<Props[]> | Props[] {
    return [this.context.configs]
  }

  /**
   * Called before offsets are changed or reset over REST. Return true if the connector has changed
   * them itself. Throw to refuse: REST answers 400 with the message. Default: the runtime writes
   * them without a check. Runs without `start`.
   */
  alterOffsets?(settings: ConfigValues<C>, offsets: AlteredOffsets): Promise<boolean> | boolean
}

/**
 * A sink connector: divides the work among tasks. Users set its topics with the runtime's keys
 * `topics` and `topics.regex`. The runtime constructs the class without arguments, also to read
 * `config` and `taskClass`.
 */
export abstract class SinkConnector<C extends ConfigDef = ConfigDef> extends Connector<C> {
  static readonly connectorType = 'sink'
  declare context: ConnectorContext
  /** The class that writes one share of the topics. */
  abstract readonly taskClass: new () => SinkTask

  /**
   * Returns the configuration of each task, at most `maxTasks` of them. Default: `maxTasks` tasks,
   * each with the connector's own configuration. The tasks share the partitions of the topics as a
   * consumer group.
   */
  taskConfigs(maxTasks: number): Promise<Props[]> | Props[] {
    return Array.from({ length: maxTasks }, () => this.context.configs)
  }
}
