/**
 * Writes topics and two snapshots to the directory in argv[2]. Prints the name of each topic when
 * the topic is on disk. The second snapshot trims the log and removes the first snapshot. The event
 * `counting` is explained in kill-at-operation.ts.
 */
import { randomUuid } from '../meta-properties.ts'
import { record } from '../records.ts'
import { MetadataRig } from './metadata-rig.ts'

const rig = await MetadataRig.open(process.argv[2]!)
await rig.load()
const write = async (name: string) => {
  await rig.write(record('Topic', { name, topicId: randomUuid() }))
  process.stdout.write(`${name}\n`)
}
for (let n = 0; n < 8; n++) await write(`before-${n}`)
await rig.snapshot()
for (let n = 0; n < 8; n++) await write(`between-${n}`)
process.emit('counting' as 'exit', 0)
await rig.snapshot()
await write('after')
// Exits without a clean shutdown. The next start must be able to recover from this.
process.exit()
