/**
 * A program for recreated.chaos.test.ts. Deletes a log and creates a log with the same name, in the
 * directory argv[2]. Prints `new` after a record of the new log is flushed. The event `counting`
 * starts the counter of kill-at-operation.ts.
 */
import { LogManager } from '../log-manager.ts'
import { append, configOf, recordingLogger, TOPIC_ID } from './logs.ts'

const manager = await LogManager.open({ dirs: [process.argv[2]!], defaults: configOf(), logger: recordingLogger() })
const old = await manager.getOrCreate('t', 0, TOPIC_ID)
for (let i = 0; i < 5; i++) await append(old, ['old'])
await old.deleteRecordsBefore(4)
await old.flush()
// Write checkpoints with the log start offset 4 and the recovery point 5.
await manager.tick(Date.now() + 10_000)
process.emit('counting' as 'exit', 0)
const deletion = manager.delete('t', 0)
const log = await manager.getOrCreate('t', 0, 'AAAAAAAAQACAAAAAAAAAAQ')
await deletion
await append(log, ['new'])
await log.flush()
process.stdout.write('new')
await manager.tick(Date.now() + 20_000)
process.exit()
