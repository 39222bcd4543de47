import type { ConfigType, Importance, Width } from '../../../common/config/define.ts'
import type { ConfigValue } from '../../../common/config/parse.ts'
import type { LogLevel } from '../../../common/log.ts'
import type { Props } from '../../../connect/props.ts'
import type { SourceOffset, SourcePartition } from '../../../connect/record.ts'

/** Where a plugin's class is. The herder finds it by manifest; a thread only imports it. Structured-clone safe. */
export interface PluginRef {
  /** The class name as shown to users, such as `org.apache.kafka.connect.file.FileStreamSourceConnector`. */
  readonly className: string
  /** Absolute path or `file:` URL of the module. A `.js` that does not exist is tried as `.ts`. */
  readonly module: string
  readonly export: string
  readonly version: string
}

/** A plugin with its configuration, prefixes removed, config providers resolved. */
export interface PluginSpec {
  readonly plugin: PluginRef
  readonly props: Props
}

/** A plugin's configuration to be checked. */
export interface ValidateSpec extends PluginSpec {
  /** Keys that were given the value null. */
  readonly nulls?: readonly string[]
}

/** One step of `transforms`, in order. */
export interface TransformSpec extends PluginSpec {
  readonly alias: string
  /** `transforms.<alias>.predicate`, resolved. */
  readonly predicate?: (PluginSpec & { readonly alias: string }) | undefined
  /** `transforms.<alias>.negate`. */
  readonly negate?: boolean | undefined
}

/** Where source offsets live: with the herder, which a thread asks by `call` messages. */
export interface OffsetStoreSpec {
  readonly kind: 'herder'
}

/** Everything a task needs. Props are raw Kafka properties (`bootstrap.servers`...), prefixes removed, overrides applied. */
export interface TaskSpec {
  readonly type: 'source' | 'sink'
  readonly connector: string
  readonly taskId: number
  /** The connector's class: its `taskClass` is what runs. */
  readonly plugin: PluginRef
  /** The connector's configuration, providers resolved: `errors.*`, `topics`, `topic.creation.*`... are read from it. */
  readonly connectorProps: Props
  /** What `taskConfigs` returned for this task, providers resolved: what `start` gets. */
  readonly taskProps: Props
  readonly keyConverter: PluginSpec
  readonly valueConverter: PluginSpec
  readonly headerConverter: PluginSpec
  readonly transforms: readonly TransformSpec[]
  readonly producer: Props
  readonly consumer: Props
  readonly admin: Props
  readonly offsets: OffsetStoreSpec
  /** Starts paused: reads and writes nothing until `resume`. */
  readonly paused: boolean
  /** `offset.flush.interval.ms`. */
  readonly offsetFlushIntervalMs: number
  /** `topic.creation.enable` of the worker. */
  readonly topicCreationEnabled: boolean
  /** `topic.tracking.enable`: whether `topics` events are sent. */
  readonly topicTracking: boolean
  /** `host:port` of this worker: for log lines and DLQ headers. */
  readonly workerId: string
  /** The cluster's id, for DLQ headers. */
  readonly clusterId?: string | undefined
}

export interface ConnectorSpec extends PluginSpec {
  readonly type: 'source' | 'sink'
  readonly connector: string
  readonly offsets: OffsetStoreSpec
}

/** A configuration key without its functions, as it can cross threads and REST. */
export interface ConfigKeyInfo {
  readonly name: string
  readonly type: ConfigType
  /** Undefined: required. Null: optional without a value. */
  readonly default?: boolean | number | string | readonly string[] | null | undefined
  readonly importance: Importance
  readonly documentation: string
  readonly group?: string | undefined
  readonly width?: Width | undefined
  readonly displayName?: string | undefined
  readonly dependents: readonly string[]
  readonly internal: boolean
  /** Accepted values in words, and the finite set of them where there is one. */
  readonly accepts?: string | undefined
  readonly values?: readonly string[] | undefined
}

export interface PluginInfo {
  readonly version: string
  /** For connectors only. */
  readonly connectorType?: 'source' | 'sink' | undefined
  readonly keys: readonly ConfigKeyInfo[]
  /** Whether the class has checks of its own beyond the declaration. */
  readonly hasValidate: boolean
}

export interface ValidationResult extends PluginInfo {
  /** By key, in the declaration's order, with the errors of the declaration and of the connector's own `validate`. */
  readonly values: readonly ConfigValue[]
}

/** An offset of one source partition; null resets it. */
export type OffsetEntry = readonly [SourcePartition, SourceOffset | null]

/**
 * Requests to a thread, by name: what is asked and what is answered. `unit` is `connectorUnit(name)` or `taskUnit(name, id)`.
 * A rejected request carries a `Failure`.
 */
export interface ThreadRequests {
  /** Reads a plugin's declaration. */
  inspect: { ask: { plugin: PluginRef }; answer: PluginInfo }
  /** Validates a plugin's configuration; runs a connector's own `validate` when the declaration found no error. */
  validate: { ask: ValidateSpec; answer: ValidationResult }
  /** Answered when `start` of the connector is through. Afterwards the unit lives until `stop` or a `failed` event. */
  'start-connector': { ask: { unit: string; spec: ConnectorSpec }; answer: null }
  'task-configs': { ask: { unit: string; maxTasks: number }; answer: readonly Props[] }
  /**
   * Asks a source connector (constructed, not started) about offsets to be altered. True: it has
   * done it itself. The offsets, `OffsetEntry[]`, travel as JSON: a message between threads turns
   * the double 1.0 into an object.
   */
  'alter-offsets': { ask: PluginSpec & { offsets: string }; answer: boolean }
  /** Answered as soon as the task is being started; `started` or `failed` events tell the rest. */
  'start-task': { ask: { unit: string; spec: TaskSpec }; answer: null }
  /** Answered when the task polls and puts no more. */
  pause: { ask: { unit: string }; answer: null }
  resume: { ask: { unit: string }; answer: null }
  /** Answered when the unit has stopped and committed: its last message. Unknown units answer at once. */
  stop: { ask: { unit: string }; answer: null }
  /** Null removes the level. */
  'log-level': { ask: { logger: string; level: LogLevel | null }; answer: null }
  /** Ends the thread when all its units are stopped. */
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

/** Everything that goes from the herder to a thread. */
export type MessageIn = RequestMessage | CallReply

/** What a thread is started with. */
export interface ThreadData {
  readonly name: string
  /** Levels in force in the herder's thread. */
  readonly logLevels: readonly (readonly [string, LogLevel])[]
  /** Bytes of Buffers and other external memory that fail the thread's tasks when exceeded; 0 for no limit. */
  readonly maxExternalBytes: number
  /** One int32 that the thread counts up while its event loop turns: who sees it stand still knows that a plugin keeps it busy. */
  readonly pulse: SharedArrayBuffer
}

export const connectorUnit = (connector: string): string => `connector:${connector}`
export const taskUnit = (connector: string, taskId: number): string => `task:${connector}-${taskId}`
