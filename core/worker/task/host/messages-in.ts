import type { ConfigType, Importance, Width } from '../../../common/config/define.ts'
import type { ConfigValue } from '../../../common/config/parse.ts'
import type { LogLevel } from '../../../common/log.ts'
import type { Props } from '../../../connect/props.ts'
import type { SourceOffset, SourcePartition } from '../../../connect/record.ts'
import type { WindowOptions } from '../metrics/windowed.ts'

/** The location of a plugin's class. The herder reads it from the manifest; a thread imports it. */
export interface PluginRef {
  /**
   * The class name as shown to users, such as
   * `org.apache.kafka.connect.file.FileStreamSourceConnector`.
   */
  readonly className: string
  /** Absolute path or `file:` URL of the module. A `.js` that does not exist is tried as `.ts`. */
  readonly module: string
  readonly export: string
  readonly version: string
}

/**
 * A plugin and its configuration, without prefixes and with resolved config provider references.
 */
export interface PluginSpec {
  readonly plugin: PluginRef
  readonly props: Props
}

/** A plugin's configuration to validate. */
export interface ValidateSpec extends PluginSpec {
  /** Keys that were given the value null. */
  readonly nulls?: readonly string[]
}

/** One entry of `transforms`. */
export interface TransformSpec extends PluginSpec {
  readonly alias: string
  /** The predicate that `transforms.<alias>.predicate` names. */
  readonly predicate?: (PluginSpec & { readonly alias: string }) | undefined
  /** `transforms.<alias>.negate`. */
  readonly negate?: boolean | undefined
}

/** Where a task's source offsets are: in the herder's thread, reached by `call` messages. */
export interface OffsetStoreSpec {
  readonly kind: 'herder'
}

/**
 * Everything that a thread needs to run a task. The client settings are Kafka properties
 * (`bootstrap.servers`, ...), without prefixes and with overrides applied.
 */
export interface TaskSpec {
  readonly type: 'source' | 'sink'
  readonly connector: string
  readonly taskId: number
  /** The connector's class. Its `taskClass` is run. */
  readonly plugin: PluginRef
  /**
   * The connector's configuration, with resolved references: contains `errors.*`, `topics`,
   * `topic.creation.*`.
   */
  readonly connectorProps: Props
  /**
   * The configuration that `taskConfigs` returned for this task, with resolved references. `start`
   * gets it.
   */
  readonly taskProps: Props
  readonly keyConverter: PluginSpec
  readonly valueConverter: PluginSpec
  readonly headerConverter: PluginSpec
  readonly transforms: readonly TransformSpec[]
  readonly producer: Props
  readonly consumer: Props
  readonly admin: Props
  readonly offsets: OffsetStoreSpec
  /** Whether the task starts paused: it reads and writes nothing until `resume`. */
  readonly paused: boolean
  /** `offset.flush.interval.ms`. */
  readonly offsetFlushIntervalMs: number
  /** `metrics.sample.window.ms` and `metrics.num.samples` of the worker. */
  readonly metricsWindow: WindowOptions
  /** `topic.creation.enable` of the worker. */
  readonly topicCreationEnabled: boolean
  /** `topic.tracking.enable`: whether the task sends `topics` events. */
  readonly topicTracking: boolean
  /** `host:port` of this worker, for log lines and the headers of dead letters. */
  readonly workerId: string
  /** The id of the Kafka cluster, for the headers of dead letters. */
  readonly clusterId?: string | undefined
}

export interface ConnectorSpec extends PluginSpec {
  readonly type: 'source' | 'sink'
  readonly connector: string
  readonly offsets: OffsetStoreSpec
}

/** A configuration key without its functions, in the form that crosses threads. */
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
  /** A description of the accepted values, and the values themselves if they are a finite set. */
  readonly accepts?: string | undefined
  readonly values?: readonly string[] | undefined
}

export interface PluginInfo {
  readonly version: string
  /** Set for connectors only. */
  readonly connectorType?: 'source' | 'sink' | undefined
  readonly keys: readonly ConfigKeyInfo[]
  /** Whether the class has a `validate` method in addition to the declaration. */
  readonly hasValidate: boolean
}

export interface ValidationResult extends PluginInfo {
  /**
   * One entry for each key, in the order of the declaration, with the errors of declaration and
   * `validate`.
   */
  readonly values: readonly ConfigValue[]
}

/** The offset of one source partition; null resets it. */
export type OffsetEntry = readonly [SourcePartition, SourceOffset | null]

/**
 * The requests to a thread, by name, with their arguments (`ask`) and results (`answer`). `unit` is
 * `connectorUnit(name)` or `taskUnit(name, id)`. A failed request is answered with a `Failure`.
 */
export interface ThreadRequests {
  /** Returns a plugin's declaration. */
  inspect: { ask: { plugin: PluginRef }; answer: PluginInfo }
  /**
   * Validates a plugin's configuration. Also runs a connector's `validate` if the declaration finds
   * no error.
   */
  validate: { ask: ValidateSpec; answer: ValidationResult }
  /**
   * Answered when `start` of the connector has returned. The unit then runs until `stop` or a
   * `failed` event.
   */
  'start-connector': { ask: { unit: string; spec: ConnectorSpec }; answer: null }
  'task-configs': { ask: { unit: string; maxTasks: number }; answer: readonly Props[] }
  /**
   * Calls `alterOffsets` of a source connector that is constructed but not started. True if the
   * connector has altered the offsets itself. The offsets (`OffsetEntry[]`) are sent as JSON,
   * because structured cloning does not keep doubles such as 1.0.
   */
  'alter-offsets': { ask: PluginSpec & { offsets: string }; answer: boolean }
  /** Answered as soon as the task begins to start. A `started` or `failed` event follows. */
  'start-task': { ask: { unit: string; spec: TaskSpec }; answer: null }
  /** Answered when the task no longer polls and puts. */
  pause: { ask: { unit: string }; answer: null }
  resume: { ask: { unit: string }; answer: null }
  /** Answered when the unit has stopped and committed, or at once for an unknown unit. */
  stop: { ask: { unit: string }; answer: null }
  /** Sets a log level; null removes it. */
  'log-level': { ask: { logger: string; level: LogLevel | null }; answer: null }
  /** Stops all units, then ends the thread. */
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

/** The herder's answer to a `call` of a thread. */
export interface CallReply {
  readonly type: 'reply'
  readonly id: number
  readonly value?: unknown
  /** Present when the call failed. */
  readonly error?: { readonly message: string; readonly retriable: boolean } | undefined
}

/** A message from the herder to a thread. */
export type MessageIn = RequestMessage | CallReply

/** The data that a thread is started with. */
export interface ThreadData {
  readonly name: string
  /** The current log levels of the herder's thread. */
  readonly logLevels: readonly (readonly [string, LogLevel])[]
  /**
   * The limit of Buffers and other external memory in bytes; 0 for no limit. The thread fails above
   * it.
   */
  readonly maxExternalBytes: number
  /**
   * One int32 that the thread's event loop increments. It stops changing while a plugin blocks the
   * event loop.
   */
  readonly pulse: SharedArrayBuffer
}

export const connectorUnit = (connector: string): string => `connector:${connector}`
export const taskUnit = (connector: string, taskId: number): string => `task:${connector}-${taskId}`
