import { close } from 'node:fs'
import { BufferPool } from '../../common/buffer-pool.ts'
import type { Logger } from '../../common/log.ts'
import { createLogger } from '../../common/log.ts'
import { FdCache } from './io/fd-cache.ts'
import { SerialQueue } from './io/serial-queue.ts'
import { slowOperations } from './io/slow-operations.ts'
import { Trash } from './io/trash.ts'
import type { LogState } from './log-state.ts'
import { TailCache } from './read/tail-cache.ts'
import type { LogManagerOptions } from './types.ts'
import { CheckPool } from './validation/check-pool.ts'

/** The resources that all logs of a broker share. */
export interface LogEnv {
  readonly fds: FdCache
  readonly tail: TailCache
  /** The buffer pool of disk reads and of the tail cache. */
  readonly pool: BufferPool
  readonly trash: Trash
  /** Runs background operations, such as fdatasync of completed segments, one at a time. */
  readonly background: Pick<SerialQueue, 'run' | 'idle'>
  /** Checks batches in threads if their check takes long. */
  readonly checks: CheckPool
  /** The logs whose offsets changed since the last checkpoint. */
  readonly changed: Set<LogState>
  readonly logger: Logger
  readonly autoHighWatermark: boolean
  readonly producerIdExpirationMs: number
  now(): number
}

export function createLogEnv(o: Partial<Omit<LogManagerOptions, 'dirs' | 'defaults'>> = {}): LogEnv {
  const logger = o.logger ?? createLogger('millrace.broker.log')
  const now = o.now ?? Date.now
  const pool = o.pool ?? new BufferPool()
  const serial = new SerialQueue()
  const background = {
    run: <T>(job: () => T | Promise<T>) => serial.run(() => slowOperations.run(job)),
    idle: () => serial.idle(),
  }
  // The file system frees the blocks of a deleted file when its last descriptor is closed. This
  // takes long, so close deleted files in the background.
  const closeDeleted = (fd: number) => void background.run(() => new Promise<void>(done => close(fd, () => done())))
  return {
    fds: new FdCache(o.maxOpenFiles, closeDeleted),
    tail: new TailCache(o.tailCacheBytes, o.tailCacheBytesPerPartition, pool),
    pool,
    trash: new Trash(logger, now),
    background,
    checks: new CheckPool({ logger }),
    changed: new Set(),
    logger,
    autoHighWatermark: o.autoHighWatermark ?? true,
    producerIdExpirationMs: o.producerIdExpirationMs ?? 86_400_000,
    now,
  }
}
