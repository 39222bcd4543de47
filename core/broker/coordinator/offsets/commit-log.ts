import { ErrorCode, errorFor } from '../../../protocol/index.ts'
import { RecordBatchBuilder } from '../../../protocol/records/batch-builder.ts'
import type { PartitionLog } from '../../log/types.ts'
import type { CoordinatorRecord } from './records.ts'

/** The maximum size of a record without its key and value: lengths, deltas and attributes. */
const RECORD_OVERHEAD = 32
const BATCH_OVERHEAD = 128

export interface CommitLogOptions {
  readonly log: PartitionLog
  readonly leaderEpoch: () => number
  /** The value of `offsets.commit.timeout.ms`: how long a write may wait for replication. */
  readonly timeoutMs: number
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  readonly now: () => number
}

interface Write {
  readonly records: readonly CoordinatorRecord[]
  readonly size: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Appends records to one partition of `__consumer_offsets`, in the order of the calls. Writes that
 * arrive during an append share the next append. Many concurrent commits then need few appends.
 */
export class CommitLog {
  readonly #o: CommitLogOptions
  #queue: Write[] = []
  #running: Promise<void> | null = null
  #closed = false

  constructor(o: CommitLogOptions) {
    this.#o = o
  }

  /**
   * Resolves when the records are written and replicated as required. Rejects with a KafkaError.
   */
  write(records: readonly CoordinatorRecord[]): Promise<void> {
    if (records.length === 0) return Promise.resolve()
    if (this.#closed) return Promise.reject(errorFor(ErrorCode.NOT_COORDINATOR))
    return new Promise((resolve, reject) => {
      const size = records.reduce((n, r) => n + r.key.length + (r.value?.length ?? 0) + RECORD_OVERHEAD, 0)
      this.#queue.push({ records, size, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** Rejects new writes. Resolves when all accepted writes have completed or failed. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #run(): Promise<void> {
    // Wait until the current event loop turn has queued all its writes, so that they share one
    // append.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const writes = this.#take()
      try {
        await this.#append(writes.flatMap(w => w.records))
        for (const w of writes) w.resolve()
      } catch (error) {
        for (const w of writes) w.reject(error)
      }
    }
    this.#running = null
  }

  /** Removes and returns as many queued writes as fit into one batch, but at least one. */
  #take(): Write[] {
    const limit = this.#o.log.config.maxMessageBytes - BATCH_OVERHEAD
    let size = 0
    let n = 0
    while (n < this.#queue.length && (n === 0 || size + this.#queue[n]!.size <= limit)) size += this.#queue[n++]!.size
    return this.#queue.splice(0, n)
  }

  async #append(records: readonly CoordinatorRecord[]): Promise<void> {
    const { log, now, leaderEpoch } = this.#o
    const batches = this.#batches(records, now())
    const buffer = batches.length === 1 ? batches[0]! : Buffer.concat(batches)
    const { lastOffset } = await log.append(buffer, { origin: 'coordinator', leaderEpoch: leaderEpoch() })
    if (log.highWatermark <= lastOffset) await this.#replicated(lastOffset)
  }

  #batches(records: readonly CoordinatorRecord[], timestamp: number): Buffer[] {
    const limit = this.#o.log.config.maxMessageBytes - BATCH_OVERHEAD
    const batches: Buffer[] = []
    let builder: RecordBatchBuilder | null = null
    let size = 0
    for (const { key, value } of records) {
      const more = key.length + (value?.length ?? 0) + RECORD_OVERHEAD
      if (builder && size + more > limit) {
        batches.push(builder.build())
        builder = null
      }
      if (!builder) {
        builder = new RecordBatchBuilder({ compression: this.#o.compression })
        size = 0
      }
      builder.append(key, value, timestamp, [])
      size += more
    }
    if (builder) batches.push(builder.build())
    return batches
  }

  /** Resolves when the high watermark exceeds an offset. Rejects after `timeoutMs` milliseconds. */
  #replicated(offset: number): Promise<void> {
    const { log, timeoutMs } = this.#o
    return new Promise((resolve, reject) => {
      const settle = (error: Error | null) => {
        clearTimeout(timer)
        stop()
        if (error) reject(error)
        else resolve()
      }
      const timer = setTimeout(() => settle(errorFor(ErrorCode.REQUEST_TIMED_OUT)), timeoutMs)
      const stop = log.onAdvance(() => {
        if (log.highWatermark > offset) settle(null)
      })
    })
  }
}
