import type { GroupMetadata } from '../../../client/types.ts'
import type { LogEntry } from '../../../common/log.ts'
import type { Stage, TaskValues } from '../../metrics/task-metrics.ts'
import type { RequestName, ThreadRequests } from './messages-in.ts'

/** A failure in the form that crosses threads. */
export interface Failure {
  /** One line: what failed, and what to do. */
  readonly message: string
  /** The message with its stack trace and causes. REST shows it as `trace`. */
  readonly trace: string
  /** Whether a restart may succeed without a change. The restart policy uses it. */
  readonly retriable: boolean
  /** The `MR_...` code, if the error has one. */
  readonly code?: string | undefined
}

/** A series of a plugin's metric. */
export interface PluginSample {
  readonly name: string
  readonly type: 'gauge' | 'counter'
  readonly help: string
  /** Label names and values, in the order of the names. */
  readonly tags: readonly (readonly [string, string])[]
  readonly value: number
}

/** The traffic of one Kafka client of a task, as Kafka's clients count it. */
export interface ClientSample {
  readonly kind: 'producer' | 'consumer'
  readonly clientId: string
  readonly incomingBytes: number
  readonly outgoingBytes: number
  readonly connections: number
  readonly connectionsCreated: number
}

/** The lag of a task, measured by its plugin (source) or by its consumer (sink). */
export interface LagSample {
  readonly bytes: number | null
  /** Sinks only. */
  readonly records: number | null
  readonly caughtUp: boolean
  /**
   * The time of the last record, ms since 1970; null when unknown, or when the task has everything.
   */
  readonly since: number | null
  /** Sinks only. */
  readonly partitions: readonly (readonly [topic: string, partition: number, records: number])[]
}

/** The metrics of a task, sent every two seconds while they change, and at its end. */
export interface TaskSnapshot {
  readonly values: TaskValues
  /** Seconds since the start of the task, by stage. */
  readonly stages: readonly (readonly [Stage, number])[]
  /** Sources: when the oldest record that is not acknowledged was polled, ms since 1970. */
  readonly activeSince: number | null
  readonly lag: LagSample | null
  readonly clients: readonly ClientSample[]
  readonly plugin: readonly PluginSample[]
}

/**
 * The events of a thread. Those of one unit arrive in order, and `failed` or `stopped` is the last
 * one.
 */
export type ThreadEvent =
  /** The plugin's modules are loaded. From here on, its start needs little CPU time. */
  | { readonly type: 'loaded'; readonly unit: string }
  /** The unit's `start` has returned: it is RUNNING, or PAUSED if it was started paused. */
  | { readonly type: 'started'; readonly unit: string; readonly paused: boolean }
  | { readonly type: 'paused'; readonly unit: string }
  | { readonly type: 'resumed'; readonly unit: string }
  /**
   * The unit is FAILED and has released its resources. The host also sends it for each unit of a
   * thread that crashed.
   */
  | { readonly type: 'failed'; readonly unit: string; readonly failure: Failure }
  /** The unit waits or retries, and stays RUNNING. A null message ends that. */
  | {
      readonly type: 'degraded'
      readonly unit: string
      readonly message: string | null
      readonly retryAt: number | null
    }
  /** A sink task's membership in its consumer group; null if it is not a member. */
  | { readonly type: 'member'; readonly unit: string; readonly member: GroupMetadata | null }
  /**
   * Sent by the host: the time since when the thread's event loop is blocked, ms since 1970; null
   * when it runs again.
   */
  | { readonly type: 'blocked'; readonly unit: string; readonly since: number | null }
  /** The unit stopped. */
  | { readonly type: 'stopped'; readonly unit: string }
  /** The connector requests new task configurations. */
  | { readonly type: 'reconfigure'; readonly unit: string }
  /** The topics that the task uses for the first time. */
  | { readonly type: 'topics'; readonly unit: string; readonly topics: readonly string[] }
  | { readonly type: 'metrics'; readonly unit: string; readonly metrics: TaskSnapshot }
  /** The thread's memory use in bytes, sent every few seconds. */
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

/** The failure of a request. */
export interface RejectMessage {
  readonly type: 'reject'
  readonly id: number
  readonly failure: Failure
}

/**
 * A call of a thread to the herder, for source offsets. They are JSON texts, as Connect stores
 * them.
 */
export type HerderCall =
  /**
   * Keys such as `["orders",{"filename":"a"}]`. The answer is a `(string | null)[]` in the order of
   * the keys.
   */
  | { readonly name: 'offsets-get'; readonly keys: readonly string[] }
  /** The answer null is sent when the offsets are stored. A null value in an entry deletes it. */
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
