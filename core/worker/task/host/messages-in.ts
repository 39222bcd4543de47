import type { ConfigType, Importance, Width } from '../../../common/config/define.ts'
import type { ConfigValue } from '../../../common/config/parse.ts'
import type { LogLevel } from '../../../common/log.ts'
import type { Props } from '../../../connect/props.ts'
import type { SourceOffset, SourcePartition } from '../../../connect/record.ts'
import type { ClientKind } from '../../config/client-overrides.ts'
import type { WindowOptions } from '../metrics/windowed.ts'

/**
 * The location of a plugin's class. The herder reads it from the manifest, and a thread imports the
 * class.
 */
export interface PluginRef {
  /**
   * The class name that users see, for example
   * `org.apache.kafka.connect.file.FileStreamSourceConnector`.
   */
  readonly className: string
  /**
   * The absolute path or `file:` URL of the module. If a `.js` file does not exist, `.ts` is tried.
   */
  readonly module: string
  readonly export: string
  readonly version: string
}

/**
 * A plugin and its configuration. The keys have no prefix, and config provider references are
 * resolved.
 */
export interface PluginSpec {
  readonly plugin: PluginRef
  readonly props: Props
  /** The prefix that was removed from the keys of `props`. Errors contain it. */
  readonly prefix?: string
}

/** A plugin's configuration that is to be validated. */
export interface ValidateSpec extends PluginSpec {
  /** The keys whose value in the request is null. */
  readonly nulls?: readonly string[]
}

/** A transformation that `transforms` lists. */
export interface TransformSpec extends PluginSpec {
  readonly alias: string
  /** The predicate that `transforms.<alias>.predicate` names. */
  readonly predicate?: (PluginSpec & { readonly alias: string }) | undefined
  /** The value of `transforms.<alias>.negate`. */
  readonly negate?: boolean | undefined
}

/**
 * Where a task's source offsets are stored. The herder's thread stores them, and a task's thread
 * sends `call` messages to read and write them.
 */
export interface OffsetStoreSpec {
  readonly kind: 'herder'
}

/**
 * The data with which a thread runs a task. The client settings are Kafka properties such as
 * `bootstrap.servers`. They have no prefixes, and the connector's overrides are applied.
 */
export interface TaskSpec {
  readonly type: 'source' | 'sink'
  readonly connector: string
  readonly taskId: number
  /** The connector's class, which names the class of the task in `taskClass`. */
  readonly plugin: PluginRef
  /**
   * The connector's configuration with resolved references. The task uses its `errors.*`, `topics`
   * and `topic.creation.*` keys.
   */
  readonly connectorProps: Props
  /**
   * The configuration that `taskConfigs` returned for this task, with resolved references. The
   * task's `start` receives it.
   */
  readonly taskProps: Props
  readonly keyConverter: PluginSpec
  readonly valueConverter: PluginSpec
  readonly headerConverter: PluginSpec
  readonly transforms: readonly TransformSpec[]
  readonly producer: Props
  readonly consumer: Props
  readonly admin: Props
  /** The names with which the user has set the clients' keys, such as `producer.override.acks`. */
  readonly clientKeyNames?: Readonly<Record<ClientKind, Props>>
  readonly offsets: OffsetStoreSpec
  /** Whether the task starts paused. It then reads and writes no records until `resume`. */
  readonly paused: boolean
  /** The worker's `offset.flush.interval.ms`. */
  readonly offsetFlushIntervalMs: number
  /** The worker's `metrics.sample.window.ms` and `metrics.num.samples`. */
  readonly metricsWindow: WindowOptions
  /** The worker's `topic.creation.enable`. */
  readonly topicCreationEnabled: boolean
  /** The worker's `topic.tracking.enable`, which decides whether the task sends `topics` events. */
  readonly topicTracking: boolean
}

export interface ConnectorSpec extends PluginSpec {
  readonly type: 'source' | 'sink'
  readonly connector: string
  readonly offsets: OffsetStoreSpec
}

/**
 * The declaration of a configuration key without its functions, because functions cannot be sent to
 * another thread.
 */
export interface ConfigKeyInfo {
  readonly name: string
  readonly type: ConfigType
  /** Undefined for a required key; null for an optional key without a default. */
  readonly default?: boolean | number | string | readonly string[] | null | undefined
  readonly importance: Importance
  readonly documentation: string
  readonly group?: string | undefined
  readonly width?: Width | undefined
  readonly displayName?: string | undefined
  readonly dependents: readonly string[]
  readonly internal: boolean
  /** A description of the accepted values. `values` lists them if they are a finite set. */
  readonly accepts?: string | undefined
  readonly values?: readonly string[] | undefined
}

export interface PluginInfo {
  readonly version: string
  /** Set for connectors only. */
  readonly connectorType?: 'source' | 'sink' | undefined
  readonly keys: readonly ConfigKeyInfo[]
  /** Whether the class has a `validate` method. */
  readonly hasValidate: boolean
}

export interface ValidationResult extends PluginInfo {
  /**
   * One entry for each key, in the order of declaration, with the errors that the declaration and
   * `validate` found.
   */
  readonly values: readonly ConfigValue[]
}

/** The offset of a source partition. Null resets it. */
export type OffsetEntry = readonly [SourcePartition, SourceOffset | null]

/**
 * The requests that can be sent to a thread, by name, with their arguments (`ask`) and results
 * (`answer`). `unit` is the result of `connectorUnit(name)` or `taskUnit(name, id)`. A failed
 * request is answered with a `Failure`.
 */
export interface ThreadRequests {
  /** Returns a plugin's declaration. */
  inspect: { ask: { plugin: PluginRef }; answer: PluginInfo }
  /**
   * Validates a plugin's configuration. If the declaration finds no error, the plugin's `validate`
   * is also called.
   */
  validate: { ask: ValidateSpec; answer: ValidationResult }
  /**
   * Starts a connector. The answer is sent when the connector's `start` has returned. The connector
   * then runs until `stop` or until a `failed` event.
   */
  'start-connector': { ask: { unit: string; spec: ConnectorSpec }; answer: null }
  'task-configs': { ask: { unit: string; maxTasks: number }; answer: readonly Props[] }
  /**
   * Calls `alterOffsets` of a source connector that has been constructed but not started. The
   * answer is true if the connector has altered the offsets in the external system. The offsets
   * (`OffsetEntry[]`) are sent as JSON, because structured cloning does not preserve doubles such
   * as 1.0.
   */
  'alter-offsets': { ask: PluginSpec & { offsets: string }; answer: boolean }
  /**
   * Starts a task. The answer is sent before the task's `start` has returned. A `started` or
   * `failed` event follows.
   */
  'start-task': { ask: { unit: string; spec: TaskSpec }; answer: null }
  /** Pauses a unit. A paused task starts no further `poll` or `put`. */
  pause: { ask: { unit: string }; answer: null }
  resume: { ask: { unit: string }; answer: null }
  /**
   * Stops a unit. The answer is sent when the unit has committed its offsets and stopped, or at
   * once for an unknown unit.
   */
  stop: { ask: { unit: string }; answer: null }
  /** Sets the level of a logger. Null removes the level. */
  'log-level': { ask: { logger: string; level: LogLevel | null }; answer: null }
  /** Stops all units and then ends the thread. */
  exit: { ask: Record<never, never>; answer: null }
}

export type RequestName = keyof ThreadRequests

export type RequestMessage = {
  [N in RequestName]: {
    readonly type: 'request'
    readonly id: number
    readonly name: N
    readonly ask: ThreadRequests[N]['ask']
  }
}[RequestName]

/** The herder's reply to a `call` message of a thread. */
export interface CallReply {
  readonly type: 'reply'
  readonly id: number
  readonly value?: unknown
  /** The error, if the call failed. */
  readonly error?: { readonly message: string; readonly retriable: boolean } | undefined
}

/** A message from the herder to a thread. */
export type MessageIn = RequestMessage | CallReply

/** The data with which a thread is started. */
export interface ThreadData {
  readonly name: string
  /** The log levels that are set in the herder's thread. */
  readonly logLevels: readonly (readonly [string, LogLevel])[]
  /**
   * The limit of Buffers and other external memory, in bytes; 0 for no limit. A thread that exceeds
   * the limit fails.
   */
  readonly maxExternalBytes: number
  /**
   * A counter of type int32 that the thread's event loop increments. The counter does not change
   * while a plugin blocks the event loop.
   */
  readonly pulse: SharedArrayBuffer
}

export const connectorUnit = (connector: string): string => `connector:${connector}`
export const taskUnit = (connector: string, taskId: number): string => `task:${connector}-${taskId}`
