/**
 * Runs the same pipeline on Apache Kafka and Connect, with a JMX exporter, and on Millrace. Every
 * metric that Millrace exports under a Kafka or Debezium name must also exist on the Apache side,
 * with the same type and labels. The exact counters must have the same values.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sleep } from '../../core/common/async/sleep.ts'
import { freePort } from '../../core/common/free-port.ts'
import { type ParsedFamily, parseMetrics, type Scrape } from '../../core/common/metrics/test-support/parse-metrics.ts'
import { type PeerConnect, type PeerKafka, startPeerConnect, startPeerKafka } from '../peers/servers.ts'
import { findKafkaLibs, skipWithout } from '../peers/tools.ts'
import { connectionSettings } from '../services/connection-settings.ts'
import { type PostgresServer, startPostgres } from '../services/postgres.ts'
import { Rig, rest } from '../worker/harness.ts'
import { pluginPath } from './stacks.ts'

const isThere = findKafkaLibs() !== null
const LINES = 1000

/** The labels that Millrace adds. Debezium has one MBean per connector and does not need them. */
const ADDED_LABELS: Readonly<Record<string, readonly string[]>> = { debezium: ['connector', 'task'] }
/** Metrics to which Debezium's rule for the JMX exporter gives no type. */
const UNTYPED = /^debezium_metrics_/

interface Side {
  readonly url: string
  readonly broker: () => Promise<Scrape>
  readonly connect: () => Promise<Scrape>
}

async function read(url: string): Promise<Scrape> {
  return parseMetrics(await (await fetch(url)).text())
}

/**
 * Scrapes a JMX exporter. Converts Java's exponents, such as `1.0E9`, to the form that Prometheus
 * requires, `1.0e+9`.
 */
async function readExporter(port: number, prefix: RegExp): Promise<Scrape> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  // Strimzi's rules declare these maximums as counters, although they can be NaN.
  const lines = text.split('\n').filter(line => prefix.test(line) && !line.includes('_latency_max'))
  return parseMetrics(`${lines.map(line => line.replace(/E(\d+)$/, 'e+$1').replace(/E-(\d+)$/, 'e-$1')).join('\n')}\n`)
}

const STRINGS = {
  'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
  'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
}
/** A sink of a topic in which 7 of the 50 records are not JSON. */
const JSON_SINK = {
  'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector',
  topics: 'mixed',
  'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
  'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'value.converter.schemas.enable': 'false',
}
const TOLERANT = {
  'errors.tolerance': 'all',
  'errors.log.enable': 'true',
  'errors.deadletterqueue.topic.name': 'dead',
  'errors.deadletterqueue.topic.replication.factor': '1',
}
const PREFIX = /^(# (HELP|TYPE) )?(kafka|debezium)_/

describe.skipIf(skipWithout('Apache Kafka', isThere))('metrics', () => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-metrics-'))
  const rig = new Rig()
  let kafka: PeerKafka | null = null
  let connect: PeerConnect | null = null
  let postgres: PostgresServer | null = null
  let db: pg.Client | null = null
  let apache: Side
  let millrace: Side

  beforeAll(async () => {
    const ports = [await freePort(), await freePort()] as const
    kafka = await startPeerKafka({ port: ports[0], rules: 'broker' })
    const set = { 'plugin.path': pluginPath(kafka.dir), 'plugin.discovery': 'hybrid_warn' }
    connect = await startPeerConnect(kafka.bootstrap, { set, exporter: { port: ports[1], rules: 'connect' } })
    apache = {
      url: connect.url,
      broker: () => readExporter(ports[0], PREFIX),
      connect: () => readExporter(ports[1], PREFIX),
    }
    await rig.startBroker(0, { 'metrics.listeners': 'http://127.0.0.1:0' })
    await rig.startWorker()
    millrace = {
      url: rig.worker!.restUrl,
      broker: () => read(rig.broker!.metricsUrls[0]!),
      connect: () => read(`${rig.worker!.restUrl}/metrics`),
    }
    postgres = await startPostgres({ own: true })
    db = new pg.Client(await postgres!.createDatabase())
    await db.connect()
    await db.query('create table a (id int primary key); insert into a values (1), (2), (3)')
    writeFileSync(join(dir, 'in.txt'), Array.from({ length: LINES }, (_, i) => `line ${i}\n`).join(''))
    const mixed = Array.from({ length: 50 }, (_, i) => (i % 8 === 3 ? 'not JSON\n' : `{"n":${i}}\n`))
    writeFileSync(join(dir, 'mixed.txt'), mixed.join(''))
    for (const [i, { url }] of [apache, millrace].entries()) await createPipeline(url, i)
    await Promise.all([settled(apache), settled(millrace)])
    await db.query('insert into a values (4), (5)')
    await db.query('delete from a where id = 4')
    await Promise.all([apache, millrace].map(side => until(side, s => eventsSeen(s) === 3)))
  }, 300_000)
  afterAll(async () => {
    await connect?.stop()
    await kafka?.stop()
    await rig.close()
    await db?.end()
    await postgres?.stop()
    rmSync(dir, { recursive: true, force: true })
  }, 120_000)

  async function createPipeline(url: string, i: number): Promise<void> {
    const configs: Record<string, Record<string, string>> = {
      src: {
        'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
        file: join(dir, 'in.txt'),
        topic: 'lines',
      },
      snk: {
        'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector',
        file: join(dir, `out-${i}.txt`),
        topics: 'lines',
        'consumer.override.auto.offset.reset': 'earliest',
      },
      mix: {
        'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
        file: join(dir, 'mixed.txt'),
        topic: 'mixed',
        ...STRINGS,
      },
      all: { ...JSON_SINK, file: join(dir, `all-${i}.txt`), ...TOLERANT },
      strict: { ...JSON_SINK, file: join(dir, `strict-${i}.txt`) },
      pg: {
        'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
        ...connectionSettings(dbUrl()),
        'plugin.name': 'pgoutput',
        'topic.prefix': 'shop',
        'slot.name': `slot_${i}`,
        'publication.name': `publication_${i}`,
        'tombstones.on.delete': 'false',
      },
    }
    for (const [name, config] of Object.entries(configs)) {
      const { status, body } = await rest(url, 'PUT', `/connectors/${name}/config`, { 'tasks.max': '1', ...config })
      expect(status, JSON.stringify(body)).toBe(201)
    }
  }

  const dbUrl = () => `postgresql://${db!.user}:${db!.password ?? ''}@${db!.host}:${db!.port}/${db!.database}`
  const sent = (s: Scrape) => s.value('kafka_connect_sink_task_sink_record_send_total', { connector: 'snk', task: '0' })
  const committed = (s: Scrape) => s.value('kafka_connect_source_task_source_record_write_total', { connector: 'src' })
  const ofDebezium = (s: Scrape, name: string) =>
    s.value(`debezium_metrics_${name}`, { plugin: 'postgres', name: 'shop' })
  const eventsSeen = (s: Scrape) =>
    s.value('debezium_metrics_TotalNumberOfEventsSeen', { plugin: 'postgres', name: 'shop', context: 'streaming' })

  const isFailed = (s: Scrape) =>
    s.value('kafka_connect_connector_task_status', { connector: 'strict', status: 'failed' }) === 1
  const skipped = (s: Scrape) =>
    s.value('kafka_connect_task_error_total_records_skipped', { connector: 'all', task: '0' })
  const settled = (side: Side) =>
    until(side, s => {
      const isSent = sent(s) === LINES && committed(s) === LINES
      return isSent && ofDebezium(s, 'SnapshotCompleted') === 1 && isFailed(s) && skipped(s)! >= 6
    })

  async function until(side: Side, isDone: (s: Scrape) => boolean): Promise<void> {
    let last: Scrape | null = null
    for (const end = Date.now() + 120_000; Date.now() < end; await sleep(500)) {
      last = await side.connect()
      if (isDone(last)) return
    }
    throw new Error(`${side.url} is not done: ${sent(last!)} ${committed(last!)} ${eventsSeen(last!)}`)
  }

  const labelSets = (family: ParsedFamily) => [
    ...new Set(family.series.map(s => Object.keys(s.labels).sort().join(','))),
  ]

  function differences(ours: Scrape, theirs: Scrape): string[] {
    const found: string[] = []
    for (const family of ours.families.values()) {
      if (!/^(kafka|debezium)_/.test(family.name)) continue
      const theirFamily = theirs.families.get(family.name)
      if (!theirFamily) {
        found.push(`${family.name} is not there`)
        continue
      }
      const isTyped = !UNTYPED.test(family.name)
      if (isTyped && family.type !== theirFamily.type) found.push(`${family.name} is a ${theirFamily.type}`)
      const added = ADDED_LABELS[family.name.split('_')[0]!] ?? []
      const expected = labelSets(theirFamily).map(set => [...set.split(','), ...added].sort().join(','))
      for (const set of labelSets(family)) {
        if (!expected.includes(set)) found.push(`${family.name} has the labels ${expected.join(' or ')}, not ${set}`)
      }
    }
    return found
  }

  test('the names, types and labels of the brokers are the same', async () => {
    const ours = await millrace.broker()
    expect(ours.families.size).toBeGreaterThan(60)
    expect(differences(ours, await apache.broker())).toEqual([])
  })

  test('the names, types and labels of the workers and of Debezium are the same', async () => {
    const ours = await millrace.connect()
    expect([...ours.families.keys()].filter(n => n.startsWith('kafka_')).length).toBeGreaterThan(60)
    expect([...ours.families.keys()].filter(n => n.startsWith('debezium_')).length).toBeGreaterThan(12)
    expect(differences(ours, await apache.connect())).toEqual([])
  })

  test.each([
    ['kafka_server_brokertopicmetrics_messagesin_total', { topic: 'lines' }],
    ['kafka_server_brokertopicmetrics_failedproducerequests_total', { topic: '' }],
    ['kafka_server_brokertopicmetrics_bytesrejected_total', { topic: '' }],
    ['kafka_log_log_logendoffset', { topic: 'lines', partition: '0' }],
    ['kafka_log_log_logstartoffset', { topic: 'lines', partition: '0' }],
    ['kafka_log_log_numlogsegments', { topic: 'lines', partition: '0' }],
    ['kafka_cluster_partition_underreplicated', { topic: 'lines', partition: '0' }],
    ['kafka_cluster_partition_underminisr', { topic: 'lines', partition: '0' }],
    ['kafka_cluster_partition_atminisr', { topic: 'lines', partition: '0' }],
    ['kafka_cluster_partition_replicascount', { topic: 'lines', partition: '0' }],
    ['kafka_server_replicamanager_underreplicatedpartitions', {}],
    ['kafka_controller_kafkacontroller_activecontrollercount', {}],
    ['kafka_controller_kafkacontroller_activebrokercount', {}],
    ['kafka_controller_kafkacontroller_offlinepartitionscount', {}],
    ['kafka_server_kafkaserver_brokerstate', {}],
  ])('%s has the same value', async (name, labels) => {
    const [ours, theirs] = [await millrace.broker(), await apache.broker()]
    expect(ours.value(name, labels)).toBeDefined()
    expect(ours.value(name, labels)).toBe(theirs.value(name, labels))
  })

  const ERROR_COUNTERS = [
    'kafka_connect_task_error_total_record_failures',
    'kafka_connect_task_error_total_record_errors',
    'kafka_connect_task_error_total_records_skipped',
    'kafka_connect_task_error_total_retries',
    'kafka_connect_task_error_total_errors_logged',
    'kafka_connect_task_error_deadletterqueue_produce_requests',
    'kafka_connect_task_error_deadletterqueue_produce_failures',
  ]
  const SRC = { connector: 'src', task: '0' }
  const SNK = { connector: 'snk', task: '0' }
  const STREAMING = { plugin: 'postgres', name: 'shop', context: 'streaming' }
  const SNAPSHOT = { plugin: 'postgres', name: 'shop', context: 'snapshot' }
  test.each<[string, Readonly<Record<string, string>>]>([
    ['kafka_connect_source_task_source_record_poll_total', SRC],
    ['kafka_connect_source_task_source_record_write_total', SRC],
    ['kafka_connect_source_task_source_record_active_count', SRC],
    ['kafka_connect_sink_task_sink_record_read_total', SNK],
    ['kafka_connect_sink_task_sink_record_send_total', SNK],
    ['kafka_connect_sink_task_partition_count', SNK],
    ['kafka_connect_task_error_total_record_errors', SNK],
    ['kafka_connect_task_error_total_retries', SNK],
    ...ERROR_COUNTERS.map((name): [string, Readonly<Record<string, string>>] => [
      name,
      { connector: 'all', task: '0' },
    ]),
    ...ERROR_COUNTERS.map((name): [string, Readonly<Record<string, string>>] => [
      name,
      { connector: 'strict', task: '0' },
    ]),
    ['kafka_connect_sink_task_sink_record_read_total', { connector: 'all', task: '0' }],
    ['kafka_connect_sink_task_sink_record_send_total', { connector: 'all', task: '0' }],
    ['kafka_connect_sink_task_sink_record_send_total', { connector: 'strict', task: '0' }],
    ['kafka_connect_connector_task_status', { connector: 'strict', task: '0', status: 'failed' }],
    ['kafka_connect_connector_task_running_ratio', SNK],
    ['kafka_connect_connector_task_status', { ...SNK, status: 'running' }],
    ['kafka_connect_connector_status', { connector: 'src', status: 'running' }],
    ['kafka_connect_connector_connector_type', { connector: 'snk', connector_type: 'sink' }],
    ['kafka_connect_worker_connector_count', {}],
    ['kafka_connect_worker_task_count', {}],
    ['kafka_connect_worker_connector_startup_attempts_total', {}],
    ['kafka_connect_worker_connector_startup_success_percentage', {}],
    ['kafka_connect_worker_connector_running_task_count', { connector: 'src' }],
    ['kafka_connect_coordinator_assigned_connectors', {}],
    ['kafka_connect_coordinator_assigned_tasks', {}],
    ['debezium_metrics_Connected', STREAMING],
    ['debezium_metrics_TotalNumberOfEventsSeen', STREAMING],
    ['debezium_metrics_TotalNumberOfCreateEventsSeen', STREAMING],
    ['debezium_metrics_TotalNumberOfDeleteEventsSeen', STREAMING],
    ['debezium_metrics_SnapshotCompleted', SNAPSHOT],
    ['debezium_metrics_SnapshotRunning', SNAPSHOT],
    ['debezium_metrics_TotalTableCount', SNAPSHOT],
    ['debezium_metrics_RemainingTableCount', SNAPSHOT],
  ])('%s has the same value', async (name, labels) => {
    const [ours, theirs] = [await millrace.connect(), await apache.connect()]
    expect(ours.value(name, labels)).toBeDefined()
    expect(ours.value(name, labels)).toBe(theirs.value(name, labels))
  })

  test('the lag of a partition is the number of records that the sink has not read, by client, topic and partition', async () => {
    const labels = { clientid: 'connector-consumer-snk-0', topic: 'lines', partition: '0' }
    for (const side of [apache, millrace]) {
      const now = await side.connect()
      expect(now.value('kafka_consumer_fetch_manager_records_lag', labels), side.url).toBe(0)
    }
  })
})
