/**
 * Tests a worker that moves from Apache Connect to Millrace and back, with the same
 * `worker.properties` and connector files, on one Apache broker. Every line and every change
 * arrives once, in order.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../../core/common/free-port.ts'
import { type PeerKafka, startPeerKafka, startPeerWorker } from '../peers/servers.ts'
import { findKafkaLibs, skipWithout } from '../peers/tools.ts'
import { eventually } from '../platform.ts'
import { connectionSettings } from '../services/connection-settings.ts'
import { type PostgresServer, startPostgres } from '../services/postgres.ts'
import { pluginPath, Stack } from './stacks.ts'

const root = join(import.meta.dirname, '../..')

/** A worker of Apache Connect or of Millrace. In both cases the broker is Apache's. */
class Worker extends Stack {
  readonly name: 'Apache' | 'Millrace'
  readonly bootstrap: string
  readonly url: string
  readonly #stop: () => Promise<unknown>

  constructor(name: 'Apache' | 'Millrace', bootstrap: string, url: string, stop: () => Promise<unknown>) {
    super()
    this.name = name
    this.bootstrap = bootstrap
    this.url = url
    this.#stop = stop
  }

  override async stop(): Promise<void> {
    await this.#stop()
  }
}

type Mode = 'standalone' | 'distributed'

/**
 * Runs `millrace connect-standalone worker.properties ...`. The process must exit with code 0 when
 * it is stopped.
 */
async function millrace(mode: Mode, port: number, files: readonly string[]): Promise<{ stop(): Promise<void> }> {
  const child: ChildProcess = spawn(process.execPath, [join(root, 'cli/bin.ts'), `connect-${mode}`, ...files], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  process.once('exit', () => child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', chunk => {
      output = (output + chunk).slice(-20_000)
    })
  const ended = new Promise<number | null>(done => child.once('exit', code => done(code)))
  const serves = async () => {
    if (child.exitCode !== null) throw new Error(`millrace exited: ${output}`)
    const answer = await fetch(`http://127.0.0.1:${port}/connectors`, { signal: AbortSignal.timeout(5000) }).catch(
      () => null,
    )
    return answer?.ok ?? false
  }
  await eventually(serves, () => `millrace does not serve: ${output}`)
  return {
    async stop() {
      child.kill('SIGTERM')
      expect(await ended, output).toBe(0)
    },
  }
}

describe.skipIf(skipWithout('Apache Kafka', findKafkaLibs() !== null))('a worker that moves', () => {
  let dir: string
  let plugins: string
  let kafka: PeerKafka
  let postgres: PostgresServer | null = null

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-moving-'))
    plugins = pluginPath(dir)
    kafka = await startPeerKafka()
  })
  afterAll(async () => {
    await kafka?.stop()
    await postgres?.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  async function start(
    who: 'Apache' | 'Millrace',
    mode: Mode,
    port: number,
    files: readonly string[],
  ): Promise<Worker> {
    const url = `http://127.0.0.1:${port}`
    const worker = who === 'Apache' ? await startPeerWorker(mode, port, files) : await millrace(mode, port, files)
    return new Worker(who, kafka.bootstrap, url, () => worker.stop())
  }

  function write(name: string, lines: Readonly<Record<string, string>>): string {
    const file = join(dir, name)
    const text = Object.entries(lines).map(([key, value]) => `${key}=${value}\n`)
    writeFileSync(file, text.join(''))
    return file
  }

  test('connect-standalone uses the same worker.properties, connector files (properties and JSON) and offsets file', async () => {
    const port = await freePort()
    const one = join(dir, 'one.txt')
    const two = join(dir, 'two.txt')
    const out = join(dir, 'out.txt')
    const worker = write('worker.properties', {
      'bootstrap.servers': kafka.bootstrap,
      'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'offset.storage.file.filename': join(dir, 'offsets'),
      'offset.flush.interval.ms': '500',
      listeners: `http\\://127.0.0.1\\:${port}`,
      'plugin.path': plugins,
    })
    const properties = write('one.properties', {
      name: 'one',
      'connector.class': 'FileStreamSource',
      'tasks.max': '1',
      topic: 'one',
      file: one,
    })
    const json = join(dir, 'two.json')
    writeFileSync(
      json,
      JSON.stringify({
        name: 'two',
        config: {
          'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
          topic: 'two',
          file: two,
        },
      }),
    )
    const sink = write('sink.properties', {
      name: 'sink',
      'connector.class': 'FileStreamSink',
      'tasks.max': '1',
      topics: 'one',
      file: out,
    })
    for (const file of [one, two]) writeFileSync(file, '')
    const expected: string[] = []
    for (const [i, who] of (['Apache', 'Millrace', 'Apache', 'Millrace'] as const).entries()) {
      const stack = await start(who, 'standalone', port, [worker, properties, json, sink])
      for (const line of [`${i} ${who}`, `${i} more`]) {
        for (const file of [one, two]) appendFileSync(file, `${line}\n`)
        expected.push(line)
      }
      for (const topic of ['one', 'two']) await stack.arrived(topic, expected.length)
      await eventually(
        () => readFileSync(out, 'utf8').split('\n').length > expected.length,
        () => `${who}: ${readFileSync(out, 'utf8')}`,
      )
      await stack.stop()
      for (const topic of ['one', 'two'])
        expect((await stack.read(topic, expected.length)).map(r => r.value)).toEqual(expected)
      expect(readFileSync(out, 'utf8')).toBe(expected.map(line => `${line}\n`).join(''))
    }
  }, 300_000)

  test('connect-distributed resumes with the same connectors, states and offsets, including those of Debezium', async () => {
    postgres = await startPostgres({ own: true })
    if (!postgres) return
    const url = new URL(await postgres.createDatabase('moving'))
    const client = new pg.Client(url.toString())
    await client.connect()
    const insert = (id: number) => client.query('insert into orders values ($1)', [id])
    await client.query('create table orders (id int primary key)')
    await insert(1)
    const port = await freePort()
    const worker = write('distributed.properties', {
      'bootstrap.servers': kafka.bootstrap,
      'group.id': 'moving',
      'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'config.storage.topic': 'moving-configs',
      'offset.storage.topic': 'moving-offsets',
      'status.storage.topic': 'moving-status',
      'config.storage.replication.factor': '1',
      'offset.storage.replication.factor': '1',
      'status.storage.replication.factor': '1',
      'offset.flush.interval.ms': '500',
      listeners: `http://127.0.0.1:${port}`,
      'rest.advertised.host.name': '127.0.0.1',
      'plugin.path': plugins,
    })
    const lines = join(dir, 'lines.txt')
    writeFileSync(lines, '')
    const ids = [1]
    for (const [i, who] of (['Apache', 'Millrace', 'Apache', 'Millrace'] as const).entries()) {
      // This change is made while no worker is running.
      if (i > 0) {
        ids.push(i * 10)
        await insert(i * 10)
      }
      const stack = await start(who, 'distributed', port, [worker])
      if (i === 0) {
        await stack.create('orders', {
          'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
          'tasks.max': '1',
          'plugin.name': 'pgoutput',
          ...connectionSettings(url),
          'topic.prefix': 'moving',
          'slot.name': 'moving',
          'lsn.flush.mode': 'connector',
        })
        await stack.create('lines', { 'connector.class': 'FileStreamSource', topic: 'lines', file: lines })
        await stack.arrived('moving.public.orders', 1)
      }
      await stack.state('orders', 'RUNNING')
      ids.push(i * 10 + 2)
      await insert(i * 10 + 2)
      appendFileSync(lines, `line ${i}\n`)
      await stack.arrived('moving.public.orders', ids.length)
      await stack.arrived('lines', i + 1)
      await stack.stop()
      const records = await stack.read('moving.public.orders', ids.length)
      expect(
        records.map(r => JSON.parse(r.value!).payload.after.id),
        `after ${who}`,
      ).toEqual(ids)
      expect(await stack.count('lines')).toBe(i + 1)
    }
    await client.end()
  }, 400_000)
})
