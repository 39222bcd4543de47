import type { Logger } from '../../common/log.ts'
import { createLogger } from '../../common/log.ts'
import { BufferPool } from '../buffer-pool.ts'
import { FdCache } from './fd-cache.ts'
import { SerialQueue } from './serial-queue.ts'
import { TailCache } from './tail-cache.ts'
import { Trash } from './trash.ts'
import type { LogManagerOptions } from './types.ts'

/** What the logs of one broker share. */
export interface LogEnv {
  readonly fds: FdCache
  readonly tail: TailCache
  /** Memory for reads and for the tail. */
  readonly pool: BufferPool
  readonly trash: Trash
  /** fdatasync of rolled segments and the like, one at a time: a slow disk must not take all threads of the pool. */
  readonly background: SerialQueue
  readonly logger: Logger
  readonly autoHighWatermark: boolean
  readonly producerIdExpirationMs: number
  now(): number
}

export function createLogEnv(o: Partial<Omit<LogManagerOptions, 'dirs' | 'defaults'>> = {}): LogEnv {
  const logger = o.logger ?? createLogger('millrace.broker.log')
  const now = o.now ?? Date.now
  const pool = o.pool ?? new BufferPool()
  return {
    fds: new FdCache(o.maxOpenFiles),
    tail: new TailCache(o.tailCacheBytes, o.tailCacheBytesPerPartition, pool),
    pool,
    trash: new Trash(logger, now),
    background: new SerialQueue(),
    logger,
    autoHighWatermark: o.autoHighWatermark ?? true,
    producerIdExpirationMs: o.producerIdExpirationMs ?? 86_400_000,
    now,
  }
}
