import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../core/common/free-port.ts'
import { PEERS_HOME } from '../../test/peers/setup.ts'
import { launch, listening, type Measured, runToEnd } from './process.ts'

const root = join(import.meta.dirname, '../..')
/** Kafka's default JVM flags (bin/kafka-run-class.sh) and heap (bin/kafka-server-start.sh). */
export const JVM = [
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-Djava.awt.headless=true',
]
export const LOG4J = (file: string) => `-Dlog4j2.configurationFile=${join(root, 'test/peers/kafka', file)}`
const CLASSPATH = join(PEERS_HOME, 'kafka/libs/*')
const TOOLS: Readonly<Record<string, string>> = {
  'producer-perf-test': 'org.apache.kafka.tools.ProducerPerformance',
  'consumer-perf-test': 'org.apache.kafka.tools.ConsumerPerformance',
  'e2e-latency': 'org.apache.kafka.tools.EndToEndLatency',
  topics: 'org.apache.kafka.tools.TopicCommand',
  storage: 'kafka.tools.StorageTool',
}

/** Runs one of Apache's tools. Returns its output. */
export function kafkaTool(name: string, args: readonly string[]): Promise<string> {
  return runToEnd('java', [
    '-Xmx512m',
    ...JVM,
    LOG4J('log4j2-tools.xml'),
    '-cp',
    CLASSPATH,
    TOOLS[name] ?? name,
    ...args,
  ])
}

export interface RunningBroker extends Measured {
  readonly bootstrap: string
}

/**
 * Formats the storage of an Apache Kafka with one node and default settings. Returns a function
 * that starts this broker.
 */
export async function prepareApache(dir: string): Promise<() => Promise<RunningBroker>> {
  const [port, controller] = [await freePort(), await freePort()]
  mkdirSync(dir, { recursive: true })
  const file = join(dir, 'server.properties')
  writeFileSync(
    file,
    `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=${join(dir, 'data')}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
`,
  )
  await kafkaTool('storage', ['format', '-t', 'AAAAAAAAQACAAAAAAAAAAQ', '-c', file])
  return async () => {
    const running = launch(
      'Apache Kafka',
      'java',
      ['-Xms1g', '-Xmx1g', ...JVM, LOG4J('log4j2.xml'), '-cp', CLASSPATH, 'kafka.Kafka', file],
      join(dir, 'log'),
    )
    await listening(port, 60_000)
    return { ...running, bootstrap: `127.0.0.1:${port}` }
  }
}

export async function startApache(dir: string): Promise<RunningBroker> {
  return (await prepareApache(dir))()
}

/** Starts the broker of a built checkout of Millrace, by default of this checkout. */
export async function startMillrace(dir: string, checkout = root): Promise<RunningBroker> {
  const port = await freePort()
  mkdirSync(dir, { recursive: true })
  const file = join(dir, 'server.properties')
  writeFileSync(
    file,
    `listeners=PLAINTEXT://127.0.0.1:${port}
log.dirs=${join(dir, 'data')}
offsets.topic.num.partitions=8
offsets.topic.replication.factor=1
group.initial.rebalance.delay.ms=0
`,
  )
  const running = launch(
    'Millrace',
    process.execPath,
    [join(checkout, 'dist/cli/bin.js'), 'broker', file],
    join(dir, 'log'),
  )
  await listening(port, 30_000)
  return { ...running, bootstrap: `127.0.0.1:${port}` }
}
