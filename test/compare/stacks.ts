/**
 * The two stacks that are compared: Apache Kafka with Apache Connect, and `millrace start`. Both
 * get the same requests, and the same client reads from both.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAdmin, createConsumer, createProducer, type ProducerRecord } from '../../core/client/index.ts'
import { type PeerConnect, type PeerKafka, startPeerConnect, startPeerKafka } from '../peers/servers.ts'
import { PEERS_HOME } from '../peers/setup.ts'
import { eventually, Platform } from '../platform.ts'
import type { ConnectorStatus } from '../rest-client.ts'

/** The bytes of a record as text, with one character for each byte. */
export interface Raw {
  readonly partition: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [string, string | null])[]
}

type Config = Readonly<Record<string, string>>

/** A broker and a worker, used through the REST API and Kafka's protocol. */
export abstract class Stack {
  abstract readonly name: 'Apache' | 'Millrace'
  abstract readonly bootstrap: string
  abstract readonly url: string
  abstract stop(): Promise<void>

  async rest(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const answer = await fetch(`${this.url}${path}`, {
      method,
      signal: AbortSignal.timeout(90_000),
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? null : JSON.parse(text) }
  }

  async create(name: string, config: Config, rest: Record<string, unknown> = {}): Promise<void> {
    const { status, body } = await this.rest('POST', '/connectors', { name, config, ...rest })
    if (status !== 201) throw new Error(`${this.name}: POST /connectors ${name}: ${status} ${JSON.stringify(body)}`)
  }

  /**
   * Waits for a state of the connector and all its tasks. A connector that is STOPPED has no tasks.
   * Throws if a task fails.
   */
  async state(name: string, state: string): Promise<void> {
    let last: ConnectorStatus | null = null
    const holds = async () => {
      last = (await this.rest('GET', `/connectors/${name}/status`)).body as ConnectorStatus
      const failed = last.tasks?.find(t => t.state === 'FAILED')
      if (failed && state !== 'FAILED') throw new Error(`${this.name}: a task of ${name} failed: ${failed.trace}`)
      const tasks = last.tasks ?? []
      return last.connector?.state === state && (state === 'STOPPED' ? tasks.length === 0 : tasks.some(() => true))
        ? tasks.every(t => t.state === state)
        : false
    }
    await eventually(holds, () => `${this.name}: ${name} ${state}: ${JSON.stringify(last)}`)
  }

  /** Stops a connector, so that it commits its offsets. */
  async stopConnector(name: string): Promise<void> {
    await this.rest('PUT', `/connectors/${name}/stop`)
    await this.state(name, 'STOPPED')
  }

  /**
   * Waits for `count` records of a topic. Returns all records, partition by partition, in order.
   */
  async read(topic: string, count: number, timeoutMs = 60_000): Promise<Raw[]> {
    const consumer = createConsumer({
      bootstrapServers: [this.bootstrap],
      autoOffsetReset: 'earliest',
      maxPollRecords: 5000,
    })
    const out: Raw[] = []
    try {
      const partitions = await consumer.partitionsFor(topic)
      consumer.assign(partitions)
      consumer.seekToBeginning(partitions)
      // Waits a little longer, to detect surplus records.
      let after = 0
      for (const end = Date.now() + timeoutMs; after < 3 && Date.now() < end; ) {
        const batches = await consumer.poll(200)
        for (const batch of batches) out.push(...batch.records.map(r => raw(batch.partition, r)))
        if (out.length >= count) after++
      }
    } finally {
      await consumer.close()
    }
    if (out.length < count) throw new Error(`${this.name}: ${out.length} of ${count} records in ${topic}`)
    return out.sort((a, b) => a.partition - b.partition)
  }

  /** Returns the number of records of a topic; 0 if the topic does not exist. */
  async count(topic: string): Promise<number> {
    const admin = createAdmin({ bootstrapServers: [this.bootstrap] })
    try {
      const [description] = await admin.describeTopics([topic])
      if (!description) return 0
      const query = (timestamp: number) =>
        admin.listOffsets(description.partitions.map(p => ({ topic, partition: p.partition, timestamp })))
      const [first, last] = [await query(-2), await query(-1)]
      return last.reduce((sum, o, i) => sum + o.offset - (first[i]?.offset ?? 0), 0)
    } finally {
      await admin.close()
    }
  }

  /** Waits until a topic has this number of records. Throws if a task fails. */
  async arrived(topic: string, count: number, timeoutMs = 60_000): Promise<void> {
    let last = 0
    const holds = async () => {
      last = await this.count(topic)
      if (last < count) await this.#throwFailed()
      return last >= count
    }
    await eventually(holds, () => `${this.name}: ${last} of ${count} records in ${topic}`, timeoutMs)
  }

  async #throwFailed(): Promise<void> {
    const { body } = await this.rest('GET', '/connectors?expand=status')
    for (const [name, { status }] of Object.entries(body as Record<string, { status: ConnectorStatus }>)) {
      const failed = [status.connector, ...status.tasks].find(part => part.state === 'FAILED')
      if (failed) throw new Error(`${this.name}: ${name} failed: ${failed.trace}`)
    }
  }

  async produce(records: readonly ProducerRecord[]): Promise<void> {
    const producer = createProducer({ bootstrapServers: [this.bootstrap] })
    await producer.send(records)
    await producer.close()
  }

  async topics(): Promise<string[]> {
    const admin = createAdmin({ bootstrapServers: [this.bootstrap] })
    try {
      return (await admin.listTopics()).map(t => t.name).sort()
    } finally {
      await admin.close()
    }
  }

  /**
   * Returns the last entry for each key of a connector in the offsets topic, with its partition.
   */
  async storedOffsets(connector: string): Promise<Map<string, { partition: number; value: string | null }>> {
    const all = await this.read('connect-offsets', await this.count('connect-offsets'))
    const own = all.filter(r => r.key?.startsWith(`["${connector}",`))
    return new Map(own.map(r => [r.key!, { partition: r.partition, value: r.value }]))
  }
}

function raw(
  partition: number,
  r: { key: Buffer | null; value: Buffer | null; headers: readonly { key: string; value: Buffer | null }[] },
): Raw {
  const text = (b: Buffer | null) => b?.toString('latin1') ?? null
  return { partition, key: text(r.key), value: text(r.value), headers: r.headers.map(h => [h.key, text(h.value)]) }
}

class ApacheStack extends Stack {
  readonly name = 'Apache'
  readonly bootstrap: string
  readonly url: string
  readonly #kafka: PeerKafka
  readonly #connect: PeerConnect

  constructor(kafka: PeerKafka, connect: PeerConnect) {
    super()
    this.#kafka = kafka
    this.#connect = connect
    this.bootstrap = kafka.bootstrap
    this.url = connect.url
  }

  override async stop(): Promise<void> {
    await this.#connect.stop()
    await this.#kafka.stop()
  }
}

/**
 * Creates a folder with links to the two plugins, so that Connect scans only these. A plugin is a
 * folder of jars.
 */
export function pluginPath(dir: string): string {
  const plugins = join(dir, 'plugins')
  mkdirSync(plugins)
  for (const plugin of ['connect-file', 'debezium-postgres'])
    symlinkSync(join(PEERS_HOME, 'connect/plugins', plugin), join(plugins, plugin))
  return plugins
}

/**
 * Starts Apache Kafka and a distributed Connect worker with the file connectors and Debezium's
 * Postgres connector.
 */
export async function startApache(): Promise<Stack> {
  const kafka = await startPeerKafka()
  try {
    const plugins = pluginPath(kafka.dir)
    // Connect can find Debezium's transformations only by scanning classes.
    const set = { 'plugin.path': plugins, 'plugin.discovery': 'hybrid_warn' }
    return new ApacheStack(kafka, await startPeerConnect(kafka.bootstrap, { set }))
  } catch (error) {
    await kafka.stop()
    throw error
  }
}

class MillraceStack extends Stack {
  readonly name = 'Millrace'
  readonly platform: Platform

  constructor(platform: Platform) {
    super()
    this.platform = platform
  }

  get bootstrap(): string {
    return this.platform.bootstrap
  }

  get url(): string {
    return `http://127.0.0.1:${this.platform.restPort}`
  }

  override async stop(): Promise<void> {
    await this.platform.stop()
    rmSync(this.platform.dir, { recursive: true, force: true })
  }
}

/** Starts `millrace start` in a separate process. */
export async function startMillrace(): Promise<Stack> {
  const platform = await Platform.create(mkdtempSync(join(tmpdir(), 'millrace-compare-')))
  await platform.start()
  return new MillraceStack(platform)
}
