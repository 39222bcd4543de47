import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createAdmin } from '../../core/client/index.ts'
import { sleep } from '../../core/common/async/sleep.ts'
import { freePort } from '../../core/common/free-port.ts'
import { PEERS_HOME } from '../../test/peers/setup.ts'
import { JVM, LOG4J, prepareApache } from './kafka.ts'
import { launch, type Measured } from './process.ts'

const root = join(import.meta.dirname, '../..')

/** A broker and a Connect worker: one process of Millrace, or two of Apache. */
export interface Stack {
  readonly bootstrap: string
  readonly rest: number
  /** All processes of the stack. */
  readonly processes: readonly Measured[]
  /** The process of the worker. In Millrace this process includes the broker. */
  readonly worker: Measured
  stop(): Promise<void>
}

/**
 * Prepares a stack. Returns a function that starts its processes, and does not wait until they are
 * ready.
 */
export type Prepare = (dir: string) => Promise<() => Promise<Stack>>

/** Prepares the stack of a built checkout of Millrace, by default of this checkout. */
export async function prepareMillrace(dir: string, checkout = root): ReturnType<Prepare> {
  const program = join(checkout, 'dist/cli/bin.js')
  const [port, rest] = [await freePort(), await freePort()]
  mkdirSync(dir, { recursive: true })
  const args = ['start', '--data-dir', join(dir, 'data'), '--port', String(port), '--rest-port', String(rest)]
  return async () => {
    const worker = launch('Millrace', process.execPath, [program, ...args], join(dir, 'log'))
    return { bootstrap: `127.0.0.1:${port}`, rest, processes: [worker], worker, stop: () => worker.stop() }
  }
}

/**
 * Prepares Apache Kafka and Connect with the fastest plugin discovery. Offsets are flushed every
 * second, as in Millrace.
 */
export const prepareApacheStack: Prepare = async dir => {
  mkdirSync(dir, { recursive: true })
  const startBroker = await prepareApache(join(dir, 'broker'))
  const rest = await freePort()
  const file = join(dir, 'worker.properties')
  const topics = ['offset', 'config', 'status']
    .map(t => `${t}.storage.topic=connect-${t}s\n${t}.storage.replication.factor=1`)
    .join('\n')
  const heap = ['-Xms256m', '-Xmx2g']
  const args = [...heap, ...JVM, LOG4J('log4j2.xml'), '-cp', join(PEERS_HOME, 'connect/libs/*')]
  return async () => {
    const broker = await startBroker()
    writeFileSync(
      file,
      `bootstrap.servers=${broker.bootstrap}
group.id=bench
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
${topics}
offset.flush.interval.ms=1000
listeners=http://127.0.0.1:${rest}
plugin.path=${PEERS_HOME}/connect/plugins
plugin.discovery=service_load
`,
    )
    const main = 'org.apache.kafka.connect.cli.ConnectDistributed'
    const worker = launch('Connect', 'java', [...args, main, file], join(dir, 'connect.log'))
    return {
      bootstrap: broker.bootstrap,
      rest,
      processes: [broker, worker],
      worker,
      async stop() {
        await worker.stop()
        await broker.stop()
      },
    }
  }
}

/** Posts a connector as soon as the REST API is ready. Throws if the configuration is rejected. */
export async function post(rest: number, name: string, config: Readonly<Record<string, string>>): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(5)) {
    const answer = await fetch(`http://127.0.0.1:${rest}/connectors`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, config }),
    }).catch(() => null) // nothing listens yet
    if (answer?.ok) return
    if (answer?.status === 400) throw new Error(`${name}: ${await answer.text()}`)
    await answer?.text()
  }
  throw new Error(`${name} was not created within 120 s`)
}

/** Deletes a connector, waits until it is deleted, and deletes its topic unless `keepTopic`. */
export async function remove(stack: Stack, name: string, { topic = name, keepTopic = false } = {}): Promise<void> {
  const url = `http://127.0.0.1:${stack.rest}/connectors/${name}`
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(50)) {
    const answer = await fetch(url, { method: 'DELETE' })
    await answer.text()
    if (answer.status === 404) break
  }
  if (keepTopic) return
  const admin = createAdmin({ bootstrapServers: [stack.bootstrap] })
  try {
    await admin.deleteTopics([topic])
  } finally {
    await admin.close()
  }
}

/** Waits until the REST API of a worker answers. */
export async function reachable(rest: number): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(20)) {
    const answer = await fetch(`http://127.0.0.1:${rest}/connectors`).catch(() => null) // nothing listens yet
    await answer?.text()
    if (answer?.ok) return
  }
  throw new Error('the REST API does not answer')
}

/** Waits until the end offset of the topic's only partition is reached. */
export async function reaches(bootstrap: string, topic: string, wanted: number): Promise<void> {
  const admin = createAdmin({ bootstrapServers: [bootstrap] })
  try {
    for (const end = Date.now() + 600_000; Date.now() < end; await sleep(20)) {
      const [described] = await admin.describeTopics([topic])
      if (!described) continue
      const [latest] = await admin.listOffsets([{ topic, partition: 0, timestamp: -1 }])
      if ((latest?.offset ?? 0) >= wanted) return
    }
    throw new Error(`${topic} did not reach ${wanted} records`)
  } finally {
    await admin.close()
  }
}
