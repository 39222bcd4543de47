/**
 * The program that `startTestBroker` starts in a separate process. It reads the settings of the
 * broker from its first argument and writes the broker's port to stdout as a line of JSON.
 */
import { startBroker } from '../broker/broker.ts'

const broker = await startBroker(JSON.parse(process.argv[2]!) as Record<string, string>)
process.stdout.write(`${JSON.stringify({ port: broker.port })}\n`)
const close = (): void => {
  broker.close().then(
    () => process.exit(0),
    () => process.exit(1),
  )
}
process.once('SIGTERM', close)
// stdin ends when the test process exits, even if that process is killed
process.stdin.once('end', close).resume()
