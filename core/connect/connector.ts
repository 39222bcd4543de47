import type { ConfigDef, ConfigValues } from '../common/config/define.ts'
import type { ConfigValue } from '../common/config/parse.ts'
import type { Logger } from '../common/log.ts'
import type { OffsetReader } from './offset-reader.ts'
import type { Props } from './props.ts'
import type { SourceOffset, SourcePartition } from './record.ts'
import type { SinkTask } from './sink-task.ts'
import type { SourceTask } from './source-task.ts'

/** The services that the runtime provides to a connector. They are available from `start` on. */
export interface ConnectorContext {
  /** The connector's configuration as text, with config providers resolved. */
  readonly configs: Props
  /** The version of the plugin. */
  readonly version: string
  readonly logger: Logger
  /** Aborts when the connector must stop. All waits of the connector must then end. */
  readonly signal: AbortSignal
  /**
   * Asks the runtime to call `taskConfigs` again and to replace the tasks. Several requests may be
   * merged into one.
   */
  requestTaskReconfiguration(): void
  /** Fails the connector with an error that the connector cannot recover from. */
  raiseError(error: Error): void
}

/** The services that the runtime provides to a source connector. */
export interface SourceConnectorContext extends ConnectorContext {
  /** Reads the committed source offsets. */
  readonly offsets: OffsetReader
}

/** The context of a connector's `validate`. */
export interface ValidateContext {
  /** The configuration as text. Secrets are not hidden. */
  readonly configs: Props
  /** The results of validation against the declaration, one for each key. None has an error yet. */
  readonly values: readonly ConfigValue[]
  /** Aborts when the time limit of the validation has passed. */
  readonly signal: AbortSignal
  /** Adds an error to a key. An undeclared key is added to the response. */
  addError(key: string, message: string): void
}

/** Offsets that a user wants to set. A null offset resets the offset of its partition. */
export type AlteredOffsets = ReadonlyArray<readonly [SourcePartition, SourceOffset | null]>

/** The base class of source and sink connectors. */
abstract class Connector<C extends ConfigDef> {
  /** The version that REST shows. Default: the version in the plugin's package.json. */
  declare readonly version?: string
  /** The configuration keys that users may set. */
  abstract readonly config: C

  /** Called once, before any task exists. `settings` contains the parsed values of `config`. */
  start(_settings: ConfigValues<C>): Promise<void> | void {}

  /** Releases all resources. No other method is called afterwards. */
  stop(): Promise<void> | void {}

  /**
   * Checks what the declaration cannot express, such as whether a server can be reached or whether
   * two keys are consistent. Reports errors with `context.addError`. The runtime calls this method
   * only if the declaration found no error. It calls it without `start`, in a separate thread, with
   * a time limit.
   */
  validate?(settings: ConfigValues<C>, context: ValidateContext): Promise<void> | void
}

/**
 * A source connector: finds the data to read and divides it among tasks. The runtime calls the
 * constructor without arguments, sometimes only to read `config` and `taskClass`.
 */
export abstract class SourceConnector<C extends ConfigDef = ConfigDef> extends Connector<C> {
  static readonly connectorType = 'source'
  declare context: SourceConnectorContext
  /** The class of the tasks. Each task reads one share of the source. */
  abstract readonly taskClass: new () => SourceTask

  /**
   * Returns one configuration for each task, at most `maxTasks`. Default: one task with the
   * connector's own configuration.
   */
  taskConfigs(_maxTasks: number): Promise<Props[]> | Props[] {
    return [this.context.configs]
  }

  /**
   * Called, without `start`, before the runtime changes or resets offsets over REST. Throw to
   * reject the change: REST answers 400 with the message. Return true if the connector has also
   * changed offsets that it manages itself. If this method is missing, the runtime changes the
   * offsets without a check.
   */
  alterOffsets?(settings: ConfigValues<C>, offsets: AlteredOffsets): Promise<boolean> | boolean
}

/**
 * A sink connector: divides the work among tasks. Users set its topics with the runtime's keys
 * `topics` and `topics.regex`. The runtime calls the constructor without arguments, sometimes only
 * to read `config` and `taskClass`.
 */
export abstract class SinkConnector<C extends ConfigDef = ConfigDef> extends Connector<C> {
  static readonly connectorType = 'sink'
  declare context: ConnectorContext
  /** The class of the tasks. Each task writes one share of the topics. */
  abstract readonly taskClass: new () => SinkTask

  /**
   * Returns one configuration for each task, at most `maxTasks`. Default: `maxTasks` tasks, each
   * with the connector's own configuration. The tasks share the partitions of the topics as a
   * consumer group.
   */
  taskConfigs(maxTasks: number): Promise<Props[]> | Props[] {
    return Array.from({ length: maxTasks }, () => this.context.configs)
  }
}
