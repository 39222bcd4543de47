import type { LogWriter } from '../append/log-writer.ts'
import type { LogState } from '../log-state.ts'
import { SWAP } from '../segment/log-files.ts'
import { type Cleanable, cleanablePart, isDue } from './cleanable.ts'
import { type Compaction, compact, discard, viewOf } from './compactor.ts'

/**
 * Compacts one log: decides when compaction is due, and replaces the segments with the compacted
 * ones.
 */
export class LogCleaner {
  readonly #log: LogState
  readonly #writer: LogWriter
  /**
   * The offset at which the last compaction ended, or -1 if the log was never compacted. Kafka's
   * `cleaner-offset-checkpoint` stores this offset.
   */
  cleanedTo: number

  constructor(log: LogState, writer: LogWriter, cleanedTo: number) {
    this.#log = log
    this.#writer = writer
    this.cleanedTo = cleanedTo
  }

  /** Returns the part of the log that is due for compaction, or null. */
  due(now: number): Cleanable | null {
    const log = this.#log
    if (log.status !== 'open' || log.stopped !== null || log.segments.length < 2) return null
    if (!log.config.cleanupPolicy.includes('compact')) return null
    const { logStartOffset, lastStableOffset } = log
    const state = { now, cleanedTo: this.cleanedTo, logStartOffset, stableOffset: lastStableOffset }
    const part = cleanablePart(viewOf(log), log.config, state)
    return part !== null && isDue(part, log.config) ? part : null
  }

  /**
   * Compacts a part of the log. If reading or writing fails, throws and leaves the log unchanged.
   */
  async clean(part: Cleanable, now: number, maxMapBytes: number, isStopped: () => boolean): Promise<void> {
    const log = this.#log
    const stopped = () => isStopped() || log.status !== 'open'
    let done: Compaction
    try {
      done = await compact(log, part, { now, maxMapBytes, stopped })
    } catch (error) {
      if (stopped()) return
      throw error
    }
    await this.#writer.exclusively(() => this.#putInPlace(done))
    const { bytesRead, bytesWritten, cleanedTo } = done
    log.env.logger.info(`${log.name}: compacted ${bytesRead} bytes to ${bytesWritten}, up to offset ${cleanedTo}`)
  }

  /**
   * Replaces the original segments with the compacted ones. First adds `.swap` to the names of the
   * compacted files, then renames the original files for deletion, then removes `.swap`. If the
   * process crashes in between, `leftovers.ts` completes or undoes the replacement at the next
   * start.
   */
  #putInPlace(done: Compaction): void {
    const log = this.#log
    const current = new Set(log.segments)
    const isStale = done.replacements.some(r => r.replaces.some(s => !current.has(s)))
    if (log.status !== 'open' || isStale) {
      for (const { segment } of done.replacements) discard(segment)
      return
    }
    for (const { segment, replaces } of done.replacements) {
      segment.rename(SWAP)
      const renamed: string[] = []
      for (const [i, old] of replaces.entries()) renamed.push(...old.markDeleted(i > 0))
      segment.rename('')
      log.env.trash.add(renamed, log.config.fileDeleteDelayMs)
      const at = log.segments.indexOf(replaces[0]!)
      log.segments = [...log.segments.slice(0, at), segment, ...log.segments.slice(at + replaces.length)]
      log.tail.evictBelow(log.segmentEnd(at))
    }
    this.cleanedTo = done.cleanedTo
    log.env.changed.add(log)
  }
}
