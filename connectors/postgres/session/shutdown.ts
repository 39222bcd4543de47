import { messageOf, sleep } from 'millrace/connect'
import { Catalog } from '../catalog/catalog.ts'
import { dropSlot, slotState } from '../server.ts'
import type { ReplicationStream } from '../stream/replication-stream.ts'
import type { SessionContext } from './context.ts'

/**
 * After a server begins to shut down, its stream stays open for this time, so that emitted records
 * can be committed. In milliseconds.
 */
const GRACE_MS = 1000
/** The longest time that a stopped task tries to drop its slot, in milliseconds. */
const DROP_MS = 10_000
const DROP_ATTEMPTS = 50
const DROP_PAUSE_MS = 100

/**
 * Closes the stream if the server is shutting down, which is the case if it accepts no new
 * connection. Such a server waits until all of its WAL is confirmed. With
 * `lsn.flush.mode=connector`, or while records cannot be written, it would wait forever. After its
 * restart, the server sends unconfirmed changes again.
 */
export async function leaveAtShutdown(context: SessionContext, stream: ReplicationStream): Promise<void> {
  const { options, signal } = context
  try {
    await sleep(GRACE_MS, signal)
  } catch {
    // the task was stopped, which closes the stream
    return
  }
  const catalog = new Catalog(options, signal)
  try {
    await catalog.rows('select')
  } catch (error) {
    if (!signal.aborted) stream.abandon(messageOf(error))
  } finally {
    await catalog.close()
  }
}

/** Drops the slot of a stopped task (`slot.drop.on.stop`). */
export async function dropOnStop({ options, logger }: SessionContext): Promise<void> {
  const { name } = options.slot
  const catalog = new Catalog(options, AbortSignal.timeout(DROP_MS))
  try {
    await dropWhenFree(catalog, name)
    logger.info(`dropped replication slot ${name} (slot.drop.on.stop)`)
  } finally {
    await catalog.close()
  }
}

/**
 * Drops a slot as soon as it is not active. The server needs a moment to notice that the stream's
 * connection is closed.
 */
async function dropWhenFree(catalog: Catalog, slot: string): Promise<void> {
  for (let attempt = 0; attempt < DROP_ATTEMPTS; attempt++) {
    const state = await slotState(catalog, slot)
    if (state === null) return
    if (!state.active) await dropSlot(catalog, slot)
    else await sleep(DROP_PAUSE_MS)
  }
}
