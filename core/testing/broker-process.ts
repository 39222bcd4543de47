/**
 * A broker in a process of its own, for `startTestBroker`. Reads the settings from its first
 * argument and writes the port as a line of JSON.
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
// the pipe ends when the test process has exited for any reason
process.stdin.once('end', close).resume()
