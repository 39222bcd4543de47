// A program for full-disk.chaos.test.ts. The test limits the maximum file size of this process. The
// program appends records until an append fails, and appends more after the test has lifted the
// limit. Argument: the directory of the log.
import { once } from 'node:events'
import { batchOf, openLog } from './logs.ts'

// Ignore the signal that a write beyond the limit causes. By default it would kill the process, but
// the write should fail.
process.on('SIGXFSZ', () => undefined)
const log = await openLog(process.argv[2]!)
const values: string[] = []

async function append(value: string): Promise<string | null> {
  try {
    await log.append(batchOf([value]), { origin: 'client', leaderEpoch: 0 })
    values.push(value)
    return null
  } catch (error) {
    return String(error)
  }
}

let failure: string | null = null
for (let n = 0; failure === null && n < 10_000; n++) failure = await append(`${n}:${'x'.repeat(700)}`)
const refusedAgain = await append('y'.repeat(900))
const small = await append('fits')
const lifted = once(process, 'message')
process.send?.({ failure, refusedAgain, small })
await lifted
const after = await append('z'.repeat(5000))
await log.close()
process.send?.({ after, values }, () => process.disconnect())
