import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { PEERS_HOME } from '../../test/peers/setup.ts'
import { freePort } from '../../test/services/elasticsearch.ts'
import { alternate, type Figures, type Summary } from '../lib/compare.ts'
import { JVM, prepareApache } from '../lib/kafka.ts'
import { launch, type Measured } from '../lib/process.ts'

const root = join(import.meta.dirname, '../..')

function sinkHas(path: string, line: string): boolean {
  try {
    return readFileSync(path, 'utf8').includes(line)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

async function waitFor(holds: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end; await setTimeout(5)) if (await holds()) return
  throw new Error(`${what}: not within 120 s`)
}

async function post(rest: number, name: string, config: Record<string, string>): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${rest}/connectors`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, config }),
    })
    if (answer.status === 400) throw new Error(`${name}: ${answer.status} ${await answer.text()}`)
    return answer.ok
  } catch (error) {
    if (error instanceof TypeError) return false // nothing listens yet
    throw error
  }
}

/** From the start of the processes to the first line that has gone from a file through a topic into another file. */
async function firstRecord(dir: string, rest: number, start: () => Promise<Measured[]>): Promise<Figures> {
  mkdirSync(dir, { recursive: true })
  const input = join(dir, 'in.txt')
  const output = join(dir, 'out.txt')
  writeFileSync(input, 'first\n')
  const began = performance.now()
  const running = await start()
  try {
    const text = {
      'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'tasks.max': '1',
    }
    const source = {
      'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
      file: input,
      topic: 'lines',
      ...text,
    }
    const sink = {
      'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector',
      file: output,
      topics: 'lines',
      'consumer.override.auto.offset.reset': 'earliest',
      ...text,
    }
    await waitFor(() => post(rest, 'source', source), 'POST source')
    await waitFor(() => post(rest, 'sink', sink), 'POST sink')
    await waitFor(() => sinkHas(output, 'first'), 'the first record')
    const seconds = (performance.now() - began) / 1000
    return { 'first record after s': seconds, 'peak MB': running.reduce((sum, p) => sum + p.peakMb(), 0) }
  } finally {
    for (const p of running.reverse()) await p.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

async function millrace(dir: string): Promise<Figures> {
  const [port, rest] = [await freePort(), await freePort()]
  return firstRecord(dir, rest, async () => [
    launch(
      'Millrace',
      process.execPath,
      [
        join(root, 'dist/cli/bin.js'),
        'start',
        '--data-dir',
        join(dir, 'data'),
        '--port',
        String(port),
        '--rest-port',
        String(rest),
      ],
      join(dir, 'log'),
    ),
  ])
}

async function apache(dir: string): Promise<Figures> {
  const rest = await freePort()
  const startBroker = await prepareApache(join(dir, 'broker'))
  return firstRecord(dir, rest, async () => {
    const broker = await startBroker()
    const file = join(dir, 'worker.properties')
    writeFileSync(
      file,
      `bootstrap.servers=${broker.bootstrap}
group.id=bench
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
offset.storage.topic=connect-offsets
offset.storage.replication.factor=1
config.storage.topic=connect-configs
config.storage.replication.factor=1
status.storage.topic=connect-status
status.storage.replication.factor=1
listeners=http://127.0.0.1:${rest}
plugin.path=${PEERS_HOME}/connect/plugins
plugin.discovery=service_load
`,
    )
    const args = [
      '-Xms256m',
      '-Xmx2g',
      ...JVM,
      `-Dlog4j2.configurationFile=${join(root, 'test/peers/kafka/log4j2.xml')}`,
      '-cp',
      join(PEERS_HOME, 'connect/libs/*'),
    ]
    return [
      broker,
      launch(
        'Connect',
        'java',
        [...args, 'org.apache.kafka.connect.cli.ConnectDistributed', file],
        join(dir, 'connect.log'),
      ),
    ]
  })
}

/** The whole platform, from nothing to the first record through a pipeline; Connect with its fastest plugin discovery. */
export async function coldStartBench(
  dir: string,
  rounds: number,
  say: (text: string) => void,
): Promise<{ title: string; summaries: Summary[] }[]> {
  say('cold start')
  const sides = [
    { name: 'Millrace', run: (n: number) => millrace(join(dir, `a${n}`)) },
    { name: 'Apache Kafka and Connect', run: (n: number) => apache(join(dir, `b${n}`)) },
    { name: 'Millrace (control)', run: (n: number) => millrace(join(dir, `c${n}`)) },
  ]
  return [
    {
      title: 'Cold start: processes started to the first line of a file through a topic into another file',
      summaries: await alternate(sides, rounds, say),
    },
  ]
}
