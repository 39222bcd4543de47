/**
 * Writes topics and a snapshot to the directory in argv[2], and prints the name of each topic once
 * it is on disk. It is the second snapshot, so the log is trimmed and the first one removed. For
 * `counting`, see kill-at-operation.ts.
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
// Exits without a clean shutdown, which the next start must cope with.
process.exit()
