import type { GroupMetadata } from '../../../client/types.ts'
import type { LogEntry } from '../../../common/log.ts'
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

/**
 * The counters of a task since its start, with Connect's metric names. Sent every few seconds while
 * they change, and at the end of the task.
 */
export interface TaskMetrics {
  /** The current phase of the task, and the time when it began, ms since 1970. */
  readonly phase: 'idle' | 'poll' | 'transform' | 'send' | 'put' | 'commit'
  readonly phaseSince: number
  /** Source: the records that `poll` returned. Sink: the records consumed. */
  readonly recordsRead: number
  /** Source: the records that the broker acknowledged. Sink: the records that `put` accepted. */
  readonly recordsWritten: number
  /** The records that a transformation dropped. */
  readonly recordsFiltered: number
  /** The records skipped because of `errors.tolerance=all`. */
  readonly recordsSkipped: number
  readonly recordErrors: number
  readonly recordFailures: number
  readonly retries: number
  readonly deadLetterRecords: number
  /** Source: polled but not yet acknowledged. Sink: consumed but not yet put. */
  readonly recordsActive: number
  readonly bytesActive: number
  readonly offsetCommits: number
  readonly offsetCommitFailures: number
  readonly lastCommitAt: number | null
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
  | { readonly type: 'metrics'; readonly unit: string; readonly metrics: TaskMetrics }
  /** The thread's memory use in bytes, sent every few seconds. */
  | {
      readonly type: 'memory'
      readonly heapUsed: number
      readonly heapLimit: number
      readonly external: number
      readonly arrayBuffers: number
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
  /** The answer is null, sent when the offsets are stored. A null value is a tombstone. */
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
