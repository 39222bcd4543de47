/**
 * Starts Apache Kafka Connect 4.3.1 for `.peer.test.ts`: a distributed or standalone worker, and
 * the broker that the worker needs. Each of them uses a new folder, and runs until `stop` is
 * called.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep } from '../../core/common/async/sleep.ts'
import { freePort } from '../../core/common/free-port.ts'
import { PEERS_HOME } from './setup.ts'

const log4j = join(import.meta.dirname, 'kafka/log4j2.xml')

/** A JVM and its folder. */
export interface Peer {
  readonly dir: string
  output(): string
  /**
   * Stops the JVM with SIGTERM. Resolves when the JVM has exited and, unless `keep` is set, its
   * folder is deleted.
   */
  stop(options?: { keep?: boolean }): Promise<void>
}

export interface PeerKafka extends Peer {
  readonly bootstrap: string
}

export interface PeerConnect extends Peer {
  readonly url: string
  readonly port: number
}

const properties = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')

/**
 * Serves the MBeans of a JVM at `http://127.0.0.1:port/metrics`, with the names of
 * `jmx-exporter/<rules>.yml`.
 */
export interface JmxExporter {
  readonly port: number
  readonly rules: 'broker' | 'connect'
}

function agent({ port, rules }: JmxExporter): string {
  const folder = join(PEERS_HOME, 'jmx-exporter')
  const jar = readdirSync(folder).find(f => f.startsWith('jmx_prometheus_javaagent'))
  if (!jar) throw new Error(`no JMX exporter in ${folder}`)
  return `-javaagent:${join(folder, jar)}=127.0.0.1:${port}:${join(import.meta.dirname, 'jmx-exporter', `${rules}.yml`)}`
}

interface Jvm {
  readonly libs: string
  readonly main: string
  readonly args: readonly string[]
  readonly exporter?: JmxExporter | undefined
}

function startJvm(dir: string, { libs, main, args, exporter }: Jvm): Peer & { child: ChildProcess } {
  const options = ['-Xmx512m', `-Dlog4j2.configurationFile=${log4j}`, ...(exporter ? [agent(exporter)] : [])]
  const child = spawn('java', [...options, '-cp', join(PEERS_HOME, libs, '*'), main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: dir,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', chunk => {
      output = (output + chunk).slice(-100_000)
    })
  }
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  return {
    dir,
    child,
    output: () => output,
    async stop({ keep = false } = {}) {
      const timer = globalThis.setTimeout(kill, 20_000)
      if (child.exitCode === null) child.kill('SIGTERM')
      await ended
      clearTimeout(timer)
      process.removeListener('exit', kill)
      if (!keep) rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function until(peer: Peer & { child: ChildProcess }, what: string, ready: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(100)) {
    if (peer.child.exitCode !== null) throw new Error(`${what} exited: ${peer.output().slice(-4000)}`)
    if (await ready()) return
  }
  await peer.stop()
  throw new Error(`${what} did not start: ${peer.output().slice(-4000)}`)
}

/** Starts an Apache Kafka broker (KRaft) on a free port. */
export async function startPeerKafka(exporter?: JmxExporter): Promise<PeerKafka> {
  const dir = mkdtempSync(join(tmpdir(), 'peer-kafka-'))
  const [port, controller] = [await freePort(), await freePort()]
  const file = join(dir, 'server.properties')
  writeFileSync(
    file,
    properties({
      'process.roles': 'broker,controller',
      'node.id': '1',
      'controller.quorum.voters': `1@127.0.0.1:${controller}`,
      listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
      'controller.listener.names': 'CONTROLLER',
      'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      'log.dirs': join(dir, 'data'),
      'offsets.topic.replication.factor': '1',
      'offsets.topic.num.partitions': '4',
      'transaction.state.log.replication.factor': '1',
      'transaction.state.log.min.isr': '1',
      'group.initial.rebalance.delay.ms': '0',
    }),
  )
  const libs = join(PEERS_HOME, 'kafka/libs/*')
  const format = spawnSync(
    'java',
    ['-cp', libs, 'kafka.tools.StorageTool', 'format', '-t', 'AAAAAAAAAAAAAAAAAAAAAQ', '-c', file],
    { encoding: 'utf8' },
  )
  if (format.status !== 0) throw new Error(`format failed: ${format.stderr}${format.stdout}`)
  const peer = startJvm(dir, { libs: 'kafka/libs', main: 'kafka.Kafka', args: [file], exporter })
  await until(peer, 'Apache Kafka', async () => peer.output().includes('Kafka Server started'))
  return { ...peer, bootstrap: `127.0.0.1:${port}` }
}

const COMMON = {
  'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'offset.flush.interval.ms': '1000',
}

async function serves(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/connectors`, { signal: AbortSignal.timeout(2000) })).ok
  } catch {
    return false
  }
}

/**
 * Starts a distributed worker, alone in its group, with the file connectors, and optionally
 * Debezium's.
 */
export async function startPeerConnect(
  bootstrap: string,
  options: {
    set?: Readonly<Record<string, string>>
    plugins?: readonly string[]
    topics?: string
    exporter?: JmxExporter
  } = {},
): Promise<PeerConnect> {
  const dir = mkdtempSync(join(tmpdir(), 'peer-connect-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const topics = options.topics ?? 'connect'
  const plugins = options.plugins ?? ['connect-file']
  writeFileSync(
    join(dir, 'worker.properties'),
    properties({
      ...COMMON,
      'bootstrap.servers': bootstrap,
      'group.id': `${topics}-cluster`,
      'config.storage.topic': `${topics}-configs`,
      'offset.storage.topic': `${topics}-offsets`,
      'status.storage.topic': `${topics}-status`,
      'config.storage.replication.factor': '1',
      'offset.storage.replication.factor': '1',
      'status.storage.replication.factor': '1',
      listeners: url,
      'rest.advertised.host.name': '127.0.0.1',
      'plugin.path': plugins.map(p => join(PEERS_HOME, 'connect/plugins', p)).join(','),
      'plugin.discovery': 'service_load',
      ...options.set,
    }),
  )
  const main = 'org.apache.kafka.connect.cli.ConnectDistributed'
  const peer = startJvm(dir, {
    libs: 'connect/libs',
    main,
    args: [join(dir, 'worker.properties')],
    exporter: options.exporter,
  })
  await until(peer, 'Apache Connect', () => serves(url))
  return { ...peer, url, port }
}

/** Starts a standalone worker with its offsets in `offsetsFile`. */
export async function startPeerStandalone(
  bootstrap: string,
  offsetsFile: string,
  connectors: readonly Readonly<Record<string, string>>[],
): Promise<PeerConnect> {
  const dir = mkdtempSync(join(tmpdir(), 'peer-standalone-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  writeFileSync(
    join(dir, 'worker.properties'),
    properties({
      ...COMMON,
      'bootstrap.servers': bootstrap,
      'offset.storage.file.filename': offsetsFile,
      listeners: url,
      'plugin.path': join(PEERS_HOME, 'connect/plugins/connect-file'),
      'plugin.discovery': 'service_load',
    }),
  )
  const files = connectors.map((config, i) => {
    const path = join(dir, `connector-${i}.properties`)
    writeFileSync(path, properties(config))
    return path
  })
  const main = 'org.apache.kafka.connect.cli.ConnectStandalone'
  const peer = startJvm(dir, { libs: 'connect/libs', main, args: [join(dir, 'worker.properties'), ...files] })
  await until(peer, 'Apache Connect (standalone)', () => serves(url))
  return { ...peer, url, port }
}

/**
 * Starts a worker from its configuration files, as `bin/connect-standalone.sh` and
 * `bin/connect-distributed.sh` do.
 */
export async function startPeerWorker(
  mode: 'standalone' | 'distributed',
  port: number,
  files: readonly string[],
): Promise<PeerConnect> {
  const dir = mkdtempSync(join(tmpdir(), 'peer-worker-'))
  const url = `http://127.0.0.1:${port}`
  const main = `org.apache.kafka.connect.cli.Connect${mode === 'standalone' ? 'Standalone' : 'Distributed'}`
  const peer = startJvm(dir, { libs: 'connect/libs', main, args: files })
  await until(peer, `Apache Connect (${mode})`, () => serves(url))
  return { ...peer, url, port }
}
