// A program for kill.chaos.test.ts. Appends records until the process is killed, and reports all
// acknowledged records to the test. Arguments: the log directory, and the value of
// `millrace.log.fsync`.
import { LogManager } from '../log-manager.ts'
import { batchOf, configOf, TOPIC_ID } from './logs.ts'

const [dir, fsync] = process.argv.slice(2)
const config = configOf({ segmentBytes: 20_000, indexIntervalBytes: 500, fsync: fsync === 'group' ? 'group' : 'none' })
const manager = await LogManager.open({ dirs: [dir!], defaults: config })
const logs = await Promise.all([0, 1, 2].map(p => manager.getOrCreate('t', p, TOPIC_ID, config)))

async function produce(partition: number, worker: number): Promise<void> {
  for (let n = 0; ; n++) {
    const value = `${process.pid}.${partition}.${worker}.${n}`
    const records = Array.from({ length: 1 + (n % 4) }, (_, i) => `${value}.${i}.${'x'.repeat((n * 37) % 400)}`)
    const { baseOffset } = await logs[partition]!.append(batchOf(records), { origin: 'client', leaderEpoch: 0 })
    process.send?.({ partition, baseOffset, records })
    if (n % 20 === 19) await manager.tick(Date.now())
  }
}

await Promise.all(logs.flatMap((_, p) => [0, 1, 2].map(worker => produce(p, worker))))
