import { rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import * as header from '../../../protocol/records/batch-header.ts'
import { type ProducerId, readProducerId } from '../io/int64.ts'
import { slowOperations } from '../io/slow-operations.ts'
import type { LogState } from '../log-state.ts'
import { readBatchMeta } from '../segment/batch-meta.ts'
import { CLEANED } from '../segment/log-files.ts'
import { Segment } from '../segment/segment.ts'
import type { AbortedTxn } from '../segment/txn-index.ts'
import type { LogConfig } from '../types.ts'
import { filterBatch, keysOf } from './batch-filter.ts'
import { type Cleanable, groupSegments, type SegmentView } from './cleanable.ts'
import { OffsetMap } from './offset-map.ts'
import { batchesOf } from './segment-reader.ts'

/** The approximate size of each write to an output segment. */
const WRITE_BYTES = 1 << 20

/**
 * A compacted segment, whose files still have the suffix `.cleaned`, and the segments that it
 * replaces.
 */
export interface Replacement {
  readonly segment: Segment
  readonly replaces: readonly Segment[]
}

export interface Compaction {
  readonly replacements: readonly Replacement[]
  /** The end offset of the compacted part. */
  readonly cleanedTo: number
  readonly bytesRead: number
  readonly bytesWritten: number
}

export function viewOf(log: LogState): SegmentView[] {
  return log.segments.map((s, i) => ({
    baseOffset: s.baseOffset,
    endOffset: log.segmentEnd(i),
    size: s.size,
    latestTimestamp: s.latest.timestamp,
    firstTimestamp: s.firstTimestamp(),
  }))
}

/**
 * Compacts a part of a log in two passes. The first pass finds the latest offset of every key in
 * the dirty part. The second pass copies all segments up to the end of the dirty part, without
 * superseded records. Offsets do not change. The log does not change either, because the caller
 * replaces the segments. Throws if `stopped` returns true.
 */
export async function compact(
  log: LogState,
  part: Cleanable,
  o: { now: number; maxMapBytes: number; stopped: () => boolean },
): Promise<Compaction> {
  // Copy both lists now, because retention may remove segments during the compaction.
  const views = viewOf(log).slice(0, -1)
  const segments = log.segments.slice(0, -1)
  const aborted = new AbortedRecords(segments)
  const map = new OffsetMap(part.to - part.from, o.maxMapBytes)
  const cleanedTo = await fillMap({ log, segments, views, part, aborted, map, stopped: o.stopped })
  const within = views.filter(v => v.baseOffset < cleanedTo && v.endOffset <= part.to)
  const last = lastBatches(log)
  const replacements: Replacement[] = []
  let bytesRead = 0
  let bytesWritten = 0
  let unreadable = 0
  const onUnreadable = () => {
    unreadable++
  }
  try {
    for (const [first, end] of groupSegments(within, log.config)) {
      const replaces = segments.slice(first, end + 1)
      const output = new Output(log, replaces)
      replacements.push({ segment: output.segment, replaces })
      await output.open()
      try {
        for (const segment of replaces) {
          for await (const batches of batchesOf(log, segment)) {
            if (o.stopped()) throw new Error('stopped')
            for (const batch of batches) {
              bytesRead += batch.length
              const kept = keep(batch, { map, cleanedTo, aborted, last, now: o.now, onUnreadable }, log.config)
              if (kept !== null) await output.add(kept)
            }
          }
        }
        await output.finish()
      } finally {
        await output.close()
      }
      bytesWritten += output.segment.size
    }
  } catch (error) {
    for (const { segment } of replacements) discard(segment)
    throw error
  }
  if (unreadable > 0) log.env.logger.warn(`${log.name}: compaction kept ${unreadable} unreadable batches unchanged`)
  return { replacements, cleanedTo, bytesRead, bytesWritten }
}

/** Removes the files of a compacted segment that is not used. */
export function discard(segment: Segment): void {
  segment.release()
  for (const path of segment.paths()) rmSync(path, { force: true })
}

interface FillMapOptions {
  readonly log: LogState
  readonly segments: readonly Segment[]
  readonly views: readonly SegmentView[]
  readonly part: Cleanable
  readonly aborted: AbortedRecords
  readonly map: OffsetMap
  stopped(): boolean
}

/**
 * Puts the keys of the dirty part into the map. Returns the end offset of the records whose keys
 * fit into the map.
 */
async function fillMap({ log, segments, views, part, aborted, map, stopped }: FillMapOptions): Promise<number> {
  for (const [i, segment] of segments.entries()) {
    if (views[i]!.endOffset <= part.from || segment.baseOffset >= part.to) continue
    for await (const batches of batchesOf(log, segment)) {
      if (stopped()) throw new Error('stopped')
      for (const batch of batches) {
        if (header.lastOffset(batch, 0) < part.from || header.isControl(batch, 0) || aborted.has(batch)) continue
        for (const { key, offset } of keysOf(batch)) {
          if (map.isFull) return offset
          map.put(key, offset)
        }
      }
    }
  }
  return part.to
}

interface KeepOptions {
  readonly map: OffsetMap
  readonly cleanedTo: number
  readonly aborted: AbortedRecords
  readonly last: ReadonlySet<number>
  readonly now: number
  onUnreadable(): void
}

function keep(batch: Buffer, o: KeepOptions, { deleteRetentionMs }: LogConfig): Buffer | null {
  if (header.isControl(batch, 0)) return batch
  const { map, cleanedTo, now, onUnreadable } = o
  const keepEmpty = header.producerId(batch, 0) >= 0 && o.last.has(header.lastOffset(batch, 0))
  const isAborted = o.aborted.has(batch)
  if (header.recordCount(batch, 0) === 0) return keepEmpty ? batch : null
  const isSuperseded = (key: Buffer, offset: number) => isAborted || map.get(key) > offset
  return filterBatch(batch, { isSuperseded, cleanedTo, now, deleteRetentionMs, keepEmpty, onUnreadable })
}

/** Returns the last offset of each producer's last batch. */
function lastBatches(log: LogState): Set<number> {
  const last = new Set<number>()
  for (const entry of log.producers.entries()) {
    const batch = entry.batches.at(-1)
    if (batch !== undefined) last.add(batch.lastOffset)
  }
  return last
}

/**
 * The aborted transactions of the segments. The records of these transactions do not supersede
 * other records.
 */
class AbortedRecords {
  readonly #byProducer = new Map<ProducerId, { first: number; last: number }[]>()

  constructor(segments: readonly Segment[]) {
    for (const segment of segments) {
      for (const { producerId, firstOffset, lastOffset } of segment.txns.all()) {
        const known = this.#byProducer.get(producerId)
        const range = { first: firstOffset, last: lastOffset }
        if (known === undefined) this.#byProducer.set(producerId, [range])
        else known.push(range)
      }
    }
  }

  has(batch: Buffer): boolean {
    if (!header.isTransactional(batch, 0) || header.isControl(batch, 0)) return false
    const offset = header.baseOffset(batch, 0)
    return (
      this.#byProducer
        .get(readProducerId(batch, header.PRODUCER_ID))
        ?.some(r => r.first <= offset && offset <= r.last) ?? false
    )
  }
}

/** Writes one output segment. */
class Output {
  readonly segment: Segment
  readonly #log: LogState
  readonly #transactions: readonly AbortedTxn[]
  #file: FileHandle | null = null
  #buffers: Buffer[] = []
  #pending = 0

  constructor(log: LogState, replaces: readonly Segment[]) {
    this.#log = log
    const found = { size: 0, indexEntries: 0, timeEntries: 0, hasTxns: false, createdAt: replaces[0]!.createdAt }
    this.segment = new Segment(log.env.fds, log.dir, replaces[0]!.baseOffset, found, CLEANED)
    // The list includes aborted transactions whose records were removed, so that consumers receive
    // the same list of aborted transactions as before.
    this.#transactions = replaces.flatMap(s => s.txns.all())
  }

  async open(): Promise<void> {
    this.#file = await open(this.segment.log.path, 'w')
    this.segment.clearIndexes(false)
    rmSync(this.segment.txns.path, { force: true })
    for (const txn of this.#transactions) this.segment.txns.append(txn)
  }

  async add(batch: Buffer): Promise<void> {
    const position = this.segment.size + this.#pending
    this.segment.addToIndexes(readBatchMeta(batch, 0), position, this.#log.config.indexIntervalBytes)
    this.#buffers.push(batch)
    this.#pending += batch.length
    if (this.#pending >= WRITE_BYTES || this.#buffers.length >= 1024) await this.#write()
  }

  async finish(): Promise<void> {
    await this.#write()
    this.segment.seal()
    await slowOperations.run(() => this.#file?.datasync())
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = null
  }

  async #write(): Promise<void> {
    if (this.#pending === 0) return
    const bytes = Buffer.concat(this.#buffers, this.#pending)
    this.#buffers = []
    this.#pending = 0
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#file!.write(bytes, done, bytes.length - done, this.segment.size + done)
      done += bytesWritten
    }
    this.segment.size += bytes.length
  }
}
