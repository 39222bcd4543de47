import type { GroupMetadata } from '../../../client/types.ts'
import type { LogEntry } from '../../../common/log.ts'
import type { Stage, TaskValues } from '../../metrics/task-metrics.ts'
import type { RequestName, ThreadRequests } from './messages-in.ts'

/** The description of a failure, in a form that can be sent to another thread. */
export interface Failure {
  /** A single line that says what failed and what to do. */
  readonly message: string
  /** The message, the stack trace and the causes. REST shows them as `trace`. */
  readonly trace: string
  /** Whether a restart without any change may succeed. The restart policy uses it. */
  readonly retriable: boolean
  /** The error's `MR_...` code, if it has one. */
  readonly code?: string | undefined
}

/** The value of a plugin's metric for one combination of tags. */
export interface PluginSample {
  readonly name: string
  readonly type: 'gauge' | 'counter'
  readonly help: string
  /** The names and values of the tags, sorted by name. */
  readonly tags: readonly (readonly [string, string])[]
  readonly value: number
}

/** The network traffic of one of a task's Kafka clients, as Kafka's client metrics define it. */
export interface ClientSample {
  readonly kind: 'producer' | 'consumer'
  readonly clientId: string
  readonly incomingBytes: number
  readonly outgoingBytes: number
  readonly connections: number
  readonly connectionsCreated: number
}

/** The lag of a task. The plugin of a source measures it. For a sink, the runtime measures it. */
export interface LagSample {
  readonly bytes: number | null
  /** The number of records. Only sinks report it. */
  readonly records: number | null
  readonly caughtUp: boolean
  /**
   * The time of the last record that was handled, ms since 1970. Null if the time is unknown, or if
   * the task has caught up.
   */
  readonly since: number | null
  /**
   * The time at which the end of the source or of the partitions was last read, ms since 1970.
   * While the task cannot measure its lag, this time does not change.
   */
  readonly measuredAt: number
  /** The records by partition. Only sinks report them. */
  readonly partitions: readonly (readonly [topic: string, partition: number, records: number])[]
}

/**
 * The metrics of a task. A thread sends them every two seconds if they have changed, and when the
 * task ends.
 */
export interface TaskSnapshot {
  readonly values: TaskValues
  /** The seconds that the task has spent in each stage since its start. */
  readonly stages: readonly (readonly [Stage, number])[]
  /**
   * When the oldest unacknowledged record of a source was polled, ms since 1970. Null if all
   * records are acknowledged, and for sinks.
   */
  readonly activeSince: number | null
  readonly lag: LagSample | null
  readonly clients: readonly ClientSample[]
  readonly plugin: readonly PluginSample[]
}

/**
 * The events that a thread sends. The events of a unit arrive in order, and the last one is
 * `failed` or `stopped`.
 */
export type ThreadEvent =
  /** The plugin's modules have been loaded. The rest of the start needs little CPU time. */
  | { readonly type: 'loaded'; readonly unit: string }
  /** The unit's `start` has returned. The unit is now RUNNING or, if `paused` is set, PAUSED. */
  | { readonly type: 'started'; readonly unit: string; readonly paused: boolean }
  | { readonly type: 'paused'; readonly unit: string }
  | { readonly type: 'resumed'; readonly unit: string }
  /**
   * The unit is FAILED and has released its resources. If a thread ends, the host sends this event
   * for each unit in the thread.
   */
  | { readonly type: 'failed'; readonly unit: string; readonly failure: Failure }
  /**
   * The unit is waiting or retrying, and stays RUNNING. A null message means that this state has
   * ended.
   */
  | {
      readonly type: 'degraded'
      readonly unit: string
      readonly message: string | null
      readonly retryAt: number | null
    }
  /** The consumer group member of a sink task. Null means that the task is in no group. */
  | { readonly type: 'member'; readonly unit: string; readonly member: GroupMetadata | null }
  /**
   * The thread's event loop has been blocked since this time, ms since 1970. Null means that it is
   * no longer blocked. The host sends this event, because the thread cannot.
   */
  | { readonly type: 'blocked'; readonly unit: string; readonly since: number | null }
  /** The unit has stopped. */
  | { readonly type: 'stopped'; readonly unit: string }
  /** The connector requests new task configurations. */
  | { readonly type: 'reconfigure'; readonly unit: string }
  /** The task uses these topics for the first time. */
  | { readonly type: 'topics'; readonly unit: string; readonly topics: readonly string[] }
  | { readonly type: 'metrics'; readonly unit: string; readonly metrics: TaskSnapshot }
  /** The memory use of the thread, in bytes. It is sent every few seconds. */
  | {
      readonly type: 'memory'
      readonly heapUsed: number
      readonly heapLimit: number
      readonly external: number
      /**
       * The fraction of the time since the previous `memory` event in which the event loop was
       * busy.
       */
      readonly utilization: number
    }

/** The answer to a request. */
export type AnswerMessage = {
  [N in RequestName]: { readonly type: 'answer'; readonly id: number; readonly value: ThreadRequests[N]['answer'] }
}[RequestName]

/** The answer to a request that failed. */
export interface RejectMessage {
  readonly type: 'reject'
  readonly id: number
  readonly failure: Failure
}

/**
 * A thread's call to read or write source offsets in the herder's store. Keys and offsets are JSON
 * in Connect's format.
 */
export type HerderCall =
  /**
   * Reads the offsets of these keys, for example `["orders",{"filename":"a"}]`. The answer is a
   * `(string | null)[]` in the order of the keys.
   */
  | { readonly name: 'offsets-get'; readonly keys: readonly string[] }
  /**
   * Writes offsets. A null value deletes an offset. The answer is null and is sent when all offsets
   * have been stored.
   */
  | { readonly name: 'offsets-put'; readonly entries: readonly (readonly [string, string | null])[] }

export interface CallMessage {
  readonly type: 'call'
  readonly id: number
  readonly unit: string
  readonly call: HerderCall
}

/** A message from a thread to the herder. */
export type MessageOut =
  | { readonly type: 'log'; readonly entry: LogEntry }
  | { readonly type: 'event'; readonly event: ThreadEvent }
  | AnswerMessage
  | RejectMessage
  | CallMessage
