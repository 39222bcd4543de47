import type { Header, Logger } from 'millrace/connect'
import type { Heartbeat, TransactionMetadata } from '../../cdc/index.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { LoadedOffset } from '../offset.ts'
import type { PostgresOptions } from '../options.ts'
import type { PublicationKeeper } from '../publication-keeper.ts'
import type { ShapeCache } from '../shape-cache.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { SourceBlocks } from '../source-block.ts'
import type { Emitter } from '../stream/emitter.ts'
import type { FlushTracker } from '../stream/position.ts'
import type { ReplicationStream } from '../stream/replication-stream.ts'
import type { StreamReader } from '../stream/stream-reader.ts'
import type { Progress } from './progress.ts'
import type { SlotXmin } from './slot-xmin.ts'
import type { SessionEvent, SessionState } from './state.ts'

/** The parts of a task that its session uses. */
export interface SessionContext {
  readonly options: PostgresOptions
  readonly logger: Logger
  readonly signal: AbortSignal
  readonly shapes: ShapeCache
  readonly sources: SourceBlocks
  readonly headers: readonly Header[]
  readonly heartbeat: Heartbeat
  readonly committed: LoadedOffset | null
  /** Shows in the task's status what the task is waiting for. */
  readonly waits: (message: string, retryAt: number) => void
}

/** A replication stream and its reader. */
export interface OpenStream {
  readonly stream: ReplicationStream
  readonly reader: StreamReader
}

/** The parts that a session uses for all its connections. */
export interface SessionParts extends SessionContext {
  readonly catalog: Catalog
  readonly publication: PublicationKeeper
  readonly flush: FlushTracker
  readonly transaction: TransactionMetadata | null
  readonly emitter: Emitter
  readonly xmin: SlotXmin
  readonly progress: Progress
}

export type State = SessionState<OpenStream, Snapshot>
export type Event = SessionEvent<OpenStream, Snapshot>

/** A session's state, and the method that changes it. */
export interface Machine {
  readonly state: State
  /** Changes the state immediately. Resolves when the actions of the transition are complete. */
  apply(event: Event): Promise<void>
}
