import type { GroupMetadata } from '../../../client/types.ts'
import type { LogEntry } from '../../../common/log.ts'
import type { RequestName, ThreadRequests } from './messages-in.ts'

/** A failure as it crosses threads: what REST shows as `trace`. */
export interface Failure {
  /** One line: what failed, on what, what to do. */
  readonly message: string
  /** The message with the stack and its causes. */
  readonly trace: string
  /** Whether starting again may help by itself: what a restart policy goes by. */
  readonly retriable: boolean
  /** `MR_...` where there is one. */
  readonly code?: string | undefined
}

/** Counters of a task since its start; sent every few seconds while they change, and at its end. Names are Connect's metrics. */
export interface TaskMetrics {
  /** What the task does at present, and since when (ms since 1970): a watchdog's food. */
  readonly phase: 'idle' | 'poll' | 'transform' | 'send' | 'put' | 'commit'
  readonly phaseSince: number
  /** Source: records that `poll` returned; sink: records consumed. */
  readonly recordsRead: number
  /** Source: records acked by the log; sink: records that `put` took. */
  readonly recordsWritten: number
  /** Dropped by transformations. */
  readonly recordsFiltered: number
  /** Dropped by `errors.tolerance=all`. */
  readonly recordsSkipped: number
  readonly recordErrors: number
  readonly recordFailures: number
  readonly retries: number
  readonly deadLetterRecords: number
  /** Records on their way: polled but not acked, or put but not committed. */
  readonly recordsActive: number
  readonly bytesActive: number
  readonly offsetCommits: number
  readonly offsetCommitFailures: number
  readonly lastCommitAt: number | null
}

/** What a thread tells without being asked. Events of one unit arrive in order; nothing follows `failed` or `stopped`. */
export type ThreadEvent =
  /** The plugin's modules are loaded: from here on its start may wait for others, but takes no processor. */
  | { readonly type: 'loaded'; readonly unit: string }
  /** The task's `start` is through: RUNNING, or PAUSED if started so. */
  | { readonly type: 'started'; readonly unit: string; readonly paused: boolean }
  | { readonly type: 'paused'; readonly unit: string }
  | { readonly type: 'resumed'; readonly unit: string }
  /** The unit is FAILED and holds nothing any more. Also sent by the host for every unit of a thread that died. */
  | { readonly type: 'failed'; readonly unit: string; readonly failure: Failure }
  /** Something fails but is being retried by the task itself; null when it is over. The unit stays RUNNING. */
  | {
      readonly type: 'degraded'
      readonly unit: string
      readonly message: string | null
      readonly retryAt: number | null
    }
  /** A sink task's place in its consumer group; null when it has left, or was removed. */
  | { readonly type: 'member'; readonly unit: string; readonly member: GroupMetadata | null }
  /** Sent by the host: since when the unit's thread has not come to rest, ms since 1970; null when it has again. */
  | { readonly type: 'blocked'; readonly unit: string; readonly since: number | null }
  /** The unit has come to its end as asked. */
  | { readonly type: 'stopped'; readonly unit: string }
  /** The connector wants `task-configs` to be asked again. */
  | { readonly type: 'reconfigure'; readonly unit: string }
  /** Topics that the task used for the first time. */
  | { readonly type: 'topics'; readonly unit: string; readonly topics: readonly string[] }
  | { readonly type: 'metrics'; readonly unit: string; readonly metrics: TaskMetrics }
  /** Bytes, a few times a minute. */
  | {
      readonly type: 'memory'
      readonly heapUsed: number
      readonly heapLimit: number
      readonly external: number
      readonly arrayBuffers: number
    }

/** One answer. */
export type AnswerMessage = {
  [N in RequestName]: { readonly type: 'answer'; readonly id: number; readonly value: ThreadRequests[N]['answer'] }
}[RequestName]

/** A request that failed. */
export interface RejectMessage {
  readonly type: 'reject'
  readonly id: number
  readonly failure: Failure
}

/** What a thread asks of the herder: source offsets, as the text of Connect's JSON keys and values. */
export type HerderCall =
  /** Keys such as `["orders",{"filename":"a"}]`; answered by `(string | null)[]` in their order. */
  | { readonly name: 'offsets-get'; readonly keys: readonly string[] }
  /** Answered by null when they are safe. A null value is a tombstone. */
  | { readonly name: 'offsets-put'; readonly entries: readonly (readonly [string, string | null])[] }

export interface CallMessage {
  readonly type: 'call'
  readonly id: number
  readonly unit: string
  readonly call: HerderCall
}

/** Everything that goes from a thread to the herder. */
export type MessageOut =
  | { readonly type: 'ready' }
  | { readonly type: 'log'; readonly entry: LogEntry }
  | { readonly type: 'event'; readonly event: ThreadEvent }
  | AnswerMessage
  | RejectMessage
  | CallMessage
