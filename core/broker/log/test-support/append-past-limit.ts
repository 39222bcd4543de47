// Runs in a process whose file size is limited, until its parent lifts the limit. Appends until an
// append fails, then appends again. Argument: directory.
import { once } from 'node:events'
import { batchOf, openLog } from './logs.ts'

// By default the signal would end the process before the write can fail.
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
