/** A thread that checks batches and crashes on some of them, for tests of `CheckPool`. */
import { parentPort } from 'node:worker_threads'
import * as header from '../../../protocol/records/batch-header.ts'
import { type CheckRequest, READY } from '../validation/check-messages.ts'
import { checkRecords } from '../validation/check-records.ts'

/** A batch with this leader epoch makes the thread exit. */
export const DEADLY_EPOCH = 666
/** A batch with this leader epoch makes the thread throw an error, which also ends the thread. */
export const THROWING_EPOCH = 667

parentPort?.on('message', ({ jobs }: CheckRequest) => {
  const verdicts = jobs.map(({ memory, length, rules }) => {
    const batch = Buffer.from(memory, 0, length)
    const epoch = header.leaderEpoch(batch, 0)
    if (epoch === DEADLY_EPOCH) process.exit(1)
    if (epoch === THROWING_EPOCH) throw new Error('the thread failed')
    return checkRecords(batch, rules)
  })
  parentPort!.postMessage({ verdicts })
})
parentPort?.postMessage(READY)
