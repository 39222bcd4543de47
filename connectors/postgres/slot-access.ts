import { backoff, sleep } from 'millrace/connect'
import { type BlockedContext, blockersOf } from './blocked.ts'
import type { Catalog } from './catalog/catalog.ts'
import { codeOf, streamFailure } from './client/failure.ts'
import type { LoadedOffset } from './offset.ts'
import { isBeingCreated, type SlotState, slotState, wrongSlot } from './server.ts'
import { FlushTracker } from './stream/position.ts'
import { missingCommit } from './stream/verify-offset.ts'
import { strayed, type WalState } from './wal-state.ts'

/**
 * Returns the slot; null if it does not exist. Waits while another connection is creating the slot,
 * such as an earlier connection of this connector.
 */
export async function settledSlot(context: BlockedContext, catalog: Catalog): Promise<SlotState | null> {
  const { options, logger, signal, waits } = context
  const { name } = options.slot
  const delays = backoff({ initialMs: 50, maxMs: 2000 })
  for (;;) {
    const slot = await slotState(catalog, name)
    if (slot === null || !isBeingCreated(slot)) return slot
    const wait = delays.next()
    const held = wait > 1000 ? await blockersOf(catalog, { slot: name }) : null
    const message = `replication slot ${name} is being created by another connection${held ? `: ${held}` : ''}`
    logger.info(message)
    if (wait > 1000) waits(message, Date.now() + wait)
    await sleep(wait, signal)
  }
}

/**
 * Returns the result of `work`, which needs the slot. Retries while another connection uses the
 * slot.
 */
export async function whenFree<T>(context: BlockedContext, work: () => Promise<T>): Promise<T> {
  const { options, logger, signal, waits } = context
  const { maxRetries, retryDelayMs, name } = options.slot
  const deadline = Date.now() + maxRetries * retryDelayMs
  const delays = backoff({ initialMs: 100, maxMs: retryDelayMs })
  for (;;) {
    const wait = delays.next()
    try {
      return await work()
    } catch (error) {
      // the server needs a moment to notice a closed connection, so the status shows only longer
      // waits
      if (codeOf(error) !== '55006' || Date.now() + wait > deadline) throw error
      logger.info(`slot ${name} is in use; retrying in ${wait} ms`)
      if (wait > 1000) waits(streamFailure(error, name).message, Date.now() + wait)
      await sleep(wait, signal)
    }
  }
}

/**
 * Returns why the WAL of the slot does not contain an offset; null if it does. With
 * `offset.mismatch.strategy=trust_offset` or `lsn.flush.mode=manual`, returns null without a check.
 */
export async function missingFrom(
  context: BlockedContext,
  serverVersion: number,
  found: { offset: LoadedOffset | null; slot: SlotState | null; wal: WalState | null },
): Promise<string | null> {
  const { options, signal } = context
  const { offset, slot, wal } = found
  if (offset === null || offset.inSnapshot || slot === null || wal === null) return null
  const { confirmedLsn } = slot
  if (slot.lost !== null || confirmedLsn === null || wrongSlot(options, slot) !== null) return null
  if (options.slot.mismatch === 'trust_offset' || options.slot.flush === 'manual') return null
  if (strayed(offset, wal) !== null) return null
  const start = { serverVersion, from: confirmedLsn, wal, flush: new FlushTracker('manual'), signal }
  return whenFree(context, () => missingCommit(options, offset, confirmedLsn, start))
}
