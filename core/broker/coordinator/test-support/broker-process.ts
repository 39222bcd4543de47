/**
 * Runs a broker in its own process, for tests that kill it: `node broker-process.ts DIR PORT`.
 * Prints a line when the broker is ready.
 */
import { startBroker } from '../../broker.ts'
import { silentLogger } from '../../test-support/test-broker.ts'

const [dir, port] = process.argv.slice(2)
const broker = await startBroker(
  {
    'log.dirs': dir!,
    listeners: `PLAINTEXT://127.0.0.1:${port}`,
    'offsets.topic.num.partitions': '3',
    'group.initial.rebalance.delay.ms': '0',
  },
  { logger: silentLogger },
)
process.stdout.write(`${broker.port}\n`)
