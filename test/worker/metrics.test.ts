/**
 * Compares the metrics of a worker and a broker with what was sent, while a pipeline is running.
 */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sleep } from '../../core/common/async/sleep.ts'
import { type Scrape, scrape } from '../../core/common/metrics/test-support/parse-metrics.ts'
import { eventually, Rig } from './harness.ts'

const rig = new Rig()
const workerMetrics = () => scrape(`${rig.worker!.restUrl}/metrics`)
const brokerMetrics = () => scrape(rig.broker!.metricsUrls[0]!)

const PLUGINS = `
import { existsSync, writeFileSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { defineConfig, SinkConnector, SinkTask, SourceConnector, SourceTask } from 'millrace/connect'

class Counting extends SourceTask {
  start() {
    this.polls = 0
    const metrics = this.context.pluginMetrics()
    const secret = this.context.configs.secret
    metrics.addMetric({ name: 'polls', description: 'Polls.', type: 'counter', tags: { 'the-kind': 'a "b"', key: secret } }, () => this.polls)
    metrics.addMetric({ name: 'broken', description: 'Never there.' }, () => { throw new Error('no') })
    if (this.context.configs.forges) {
      const unit = 'task:' + this.context.connector + '-0'
      for (const metrics of [null, {}, { values: { x: 'y' } }, { values: {}, stages: [], activeSince: null, lag: null, clients: [],
        plugin: [{ name: 'process_cpu_seconds_total', type: 'counter', help: '', tags: [], value: 1 }] }])
        parentPort.postMessage({ type: 'event', event: { type: 'metrics', unit, metrics } })
      parentPort.postMessage({ type: 'event', event: { type: 'memory', heapUsed: 'much' } })
    }
  }
  lag() { return { bytes: 1234, since: Date.now() - 60000 } }
  async poll() { this.polls++; await new Promise(r => setTimeout(r, 20)); return [] }
  stop() {}
}
export class CountingSource extends SourceConnector {
  config = defineConfig({ secret: { type: 'PASSWORD', default: null, importance: 'LOW', documentation: 'A secret.' } })
  taskClass = Counting
  taskConfigs() { return [this.context.configs] }
}
class Hanging extends SinkTask {
  start() {}
  put(records) { if (records.length > 0) for (;;) {} }
  stop() {}
}
export class HangingSink extends SinkConnector {
  config = defineConfig({})
  taskClass = Hanging
  taskConfigs() { return [this.context.configs] }
}
class Broken extends SinkTask {
  start() {}
  put(records) { if (records.length > 0) throw new Error('broken') }
  stop() {}
}
export class BrokenSink extends HangingSink { taskClass = Broken }
`

beforeAll(async () => {
  const folder = join(rig.dir, 'plugins/metered')
  mkdirSync(folder, { recursive: true })
  const plugins = [
    { type: 'source', class: 'CountingSource', module: './index.js', export: 'CountingSource', version: '1.2.3' },
    { type: 'sink', class: 'BrokenSink', module: './index.js', export: 'BrokenSink', version: '1.0.0' },
    { type: 'sink', class: 'HangingSink', module: './index.js', export: 'HangingSink', version: '1.0.0' },
  ]
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'metered', type: 'module', millrace: { plugins } }),
  )
  writeFileSync(join(folder, 'index.js'), PLUGINS)
  await rig.startBroker(0, { 'metrics.listeners': 'http://127.0.0.1:0' })
  await rig.startWorker()
})
afterAll(() => rig.close())

/** Scrapes until the metrics have these values. Every scrape is parsed strictly. */
async function scrapeUntil(read: (now: Scrape) => unknown, expected: unknown): Promise<Scrape> {
  let last: Scrape | null = null
  await eventually(async () => {
    last = await workerMetrics()
    return read(last)
  }, expected)
  return last!
}

const STRINGS = { 'key.converter': 'StringConverter', 'value.converter': 'StringConverter' }

test('the metrics count what a pipeline sent, filtered, skipped and wrote to the dead letter queue', async () => {
  const input = join(rig.dir, 'in.txt')
  const output = join(rig.dir, 'out.txt')
  // The names of the connectors need escaping in labels.
  const source = 'src "1"\\'
  const sink = 'snk {ü}'
  writeFileSync(input, Array.from({ length: 100 }, (_, i) => `{"n": ${i}}\n`).join(''))
  await rig.create(source, {
    'connector.class': 'FileStreamSource',
    file: input,
    topic: 'lines',
    ...STRINGS,
    transforms: 'tag,drop',
    'transforms.tag.type': 'InsertHeader',
    'transforms.tag.header': 'by',
    'transforms.tag.value.literal': 'test',
    'transforms.drop.type': 'Filter',
    'transforms.drop.predicate': 'other',
    'transforms.drop.negate': 'true',
    predicates: 'other',
    'predicates.other.type': 'TopicNameMatches',
    'predicates.other.pattern': 'lines',
  })
  await rig.create(sink, {
    'connector.class': 'FileStreamSink',
    file: output,
    topics: 'lines',
    'key.converter': 'StringConverter',
    'value.converter': 'JsonConverter',
    'value.converter.schemas.enable': 'false',
    'errors.tolerance': 'all',
    'errors.log.enable': 'true',
    'errors.deadletterqueue.topic.name': 'dead',
    transforms: 'drop',
    'transforms.drop.type': 'Filter',
    'transforms.drop.predicate': 'isNull',
    predicates: 'isNull',
    'predicates.isNull.type': 'RecordIsTombstone',
  })
  await rig.states(source, 'RUNNING', 'RUNNING')
  await rig.states(sink, 'RUNNING', 'RUNNING')
  // Five lines are not JSON. Three are null; the sink's transformation drops these.
  appendFileSync(input, 'bad\n'.repeat(5))
  appendFileSync(input, 'null\n'.repeat(3))
  const labels = (connector: string) => ({ connector, task: '0' })
  const read = (now: Scrape) => ({
    polled: now.value('kafka_connect_source_task_source_record_poll_total', labels(source)),
    written: now.value('kafka_connect_source_task_source_record_write_total', labels(source)),
    active: now.value('kafka_connect_source_task_source_record_active_count', labels(source)),
    read: now.value('kafka_connect_sink_task_sink_record_read_total', labels(sink)),
    sent: now.value('kafka_connect_sink_task_sink_record_send_total', labels(sink)),
    uncommitted: now.value('kafka_connect_sink_task_sink_record_active_count', labels(sink)),
    filtered: now.value('millrace_connect_task_records_filtered_total', labels(sink)),
    errors: now.value('kafka_connect_task_error_total_record_errors', labels(sink)),
    skipped: now.value('kafka_connect_task_error_total_records_skipped', labels(sink)),
    failures: now.value('kafka_connect_task_error_total_record_failures', labels(sink)),
    logged: now.value('kafka_connect_task_error_total_errors_logged', labels(sink)),
    dlq: now.value('kafka_connect_task_error_deadletterqueue_produce_requests', labels(sink)),
    dlqFailures: now.value('kafka_connect_task_error_deadletterqueue_produce_failures', labels(sink)),
    sourceLag: now.value('millrace_connector_lag_seconds', { connector: source, type: 'source' }),
    sourceBytes: now.value('millrace_connector_lag_bytes', { connector: source, type: 'source' }),
    sinkLag: now.value('millrace_connector_lag_seconds', { connector: sink, type: 'sink' }),
    sinkRecords: now.value('millrace_connector_lag_records', { connector: sink, type: 'sink' }),
  })
  const sent = { polled: 108, written: 108, active: 0 }
  const received = { read: 108, sent: 100, uncommitted: 0, filtered: 3 }
  const failed = { errors: 5, skipped: 5, failures: 5, logged: 5, dlq: 5, dlqFailures: 0 }
  const lag = { sourceLag: 0, sourceBytes: 0, sinkLag: 0, sinkRecords: 0 }
  const now = await scrapeUntil(read, { ...sent, ...received, ...failed, ...lag })
  expect(readFileSync(output, 'utf8').split('\n')).toHaveLength(101)

  const broker = await brokerMetrics()
  const topic = (name: string, of: string) => broker.value(`kafka_server_brokertopicmetrics_${name}`, { topic: of })
  expect(topic('messagesin_total', 'lines')).toBe(108)
  expect(topic('messagesin_total', 'dead')).toBe(5)
  expect(topic('bytesin_total', 'lines')).toBeGreaterThan(108 * 10)
  expect(topic('bytesout_total', 'lines')).toBeGreaterThanOrEqual(topic('bytesin_total', 'lines')!)
  const producer = { clientid: `connector-producer-${source}-0` }
  expect(now.value('kafka_producer_outgoing_byte_total', producer)).toBeGreaterThan(topic('bytesin_total', 'lines')!)
  expect(now.value('kafka_producer_connection_count', producer)).toBeGreaterThan(0)
  const consumer = { clientid: `connector-consumer-${sink}-0` }
  expect(now.value('kafka_consumer_incoming_byte_total', consumer)).toBeGreaterThan(topic('bytesin_total', 'lines')!)
  const lines = { ...consumer, topic: 'lines', partition: '0' }
  expect(now.value('kafka_consumer_fetch_manager_records_lag', lines)).toBe(0)
  expect(now.series('kafka_consumer_fetch_manager_records_lag_max').map(s => s.value)).toContain(0)

  expect(now.value('kafka_connect_connector_task_status', { ...labels(sink), status: 'running' })).toBe(1)
  const version = { connector: source, connector_class: 'org.apache.kafka.connect.file.FileStreamSourceConnector' }
  expect(now.value('kafka_connect_connector_connector_class', version)).toBe(1)
  expect(now.value('kafka_connect_connector_connector_type', { connector: sink, connector_type: 'sink' })).toBe(1)
  expect(now.value('kafka_connect_worker_connector_count')).toBe(2)
  expect(now.value('kafka_connect_worker_task_startup_success_total')).toBe(2)
  expect(now.value('kafka_connect_worker_connector_running_task_count', { connector: sink })).toBe(1)
  const stages = (connector: string) => now.series('millrace_task_stage_seconds_total', labels(connector))
  expect(stages(source).map(s => s.labels['stage'])).toEqual(['poll', 'transform', 'convert', 'produce'])
  expect(stages(sink).map(s => s.labels['stage'])).toEqual(['consume', 'convert', 'transform', 'put', 'commit'])
  for (const { labels: at, value } of [...stages(source), ...stages(sink)])
    expect(value, at['stage']).toBeGreaterThan(0)
  await eventually(async () => (await workerMetrics()).series('millrace_thread_heap_used_bytes').length, 2)

  // A deleted connector has no metrics.
  await rig.call('DELETE', `/connectors/${encodeURIComponent(sink)}`)
  const isOf = (s: { labels: Readonly<Record<string, string>> }) =>
    Object.values(s.labels).some(text => text.includes(sink))
  await scrapeUntil(later => [...later.families.values()].flatMap(f => f.series.filter(isOf)), [])
  // A stopped connector has a status and no tasks.
  await rig.call('PUT', `/connectors/${encodeURIComponent(source)}/stop`)
  await rig.states(source, 'STOPPED')
  const stopped = await workerMetrics()
  expect(stopped.value('kafka_connect_connector_status', { connector: source, status: 'stopped' })).toBe(1)
  expect(stopped.series('kafka_connect_source_task_source_record_poll_total', { connector: source })).toEqual([])
}, 120_000)

test('a plugin defines metrics, reports its lag, and cannot break the metrics of others', async () => {
  await rig.create('counting', { 'connector.class': 'CountingSource', secret: 'sesame-open', forges: 'true' })
  await rig.states('counting', 'RUNNING', 'RUNNING')
  const labels = { connector: 'counting', task: '0' }
  const now = await scrapeUntil(
    s => s.series('kafka_connect_plugins_polls_total', labels).filter(x => x.value > 3).length,
    1,
  )
  const [polls] = now.series('kafka_connect_plugins_polls_total')
  expect(polls!.labels).toEqual({ ...labels, the_kind: 'a "b"', key: '[hidden]' })
  expect(now.families.get('kafka_connect_plugins_polls_total')).toMatchObject({ type: 'counter', help: 'Polls.' })
  expect(now.families.has('kafka_connect_plugins_broken')).toBe(false)
  expect(now.value('millrace_connector_lag_bytes', { connector: 'counting' })).toBe(1234)
  expect(now.value('millrace_connector_lag_seconds', { connector: 'counting' })).toBeGreaterThanOrEqual(59)
  expect(now.value('kafka_connect_connector_connector_version', { connector_version: '1.2.3' })).toBe(1)
  expect(now.series('process_cpu_seconds_total')).toHaveLength(1)
  const text = await (await fetch(`${rig.worker!.restUrl}/metrics`)).text()
  expect(text).not.toContain('sesame')
})

test('a scrape is answered while a task thread hangs, and its metrics show this thread', async () => {
  await rig.create('hanging', { 'connector.class': 'HangingSink', topics: 'hang', ...STRINGS })
  await rig.states('hanging', 'RUNNING', 'RUNNING')
  const { createProducer } = await import('../../core/client/index.ts')
  const producer = createProducer({ bootstrapServers: [rig.broker!.address] })
  await producer.send([{ topic: 'hang', key: null, value: Buffer.from('x') }])
  await producer.close()
  const thread = { thread: 'hanging-0' }
  const now = await scrapeUntil(s => (s.value('millrace_thread_blocked_seconds', thread) ?? 0) > 2, true)
  expect(now.value('kafka_connect_connector_task_status', { connector: 'hanging', status: 'running' })).toBe(1)
  expect(now.value('millrace_thread_blocked_seconds', { thread: 'counting-0' })).toBe(0)
  await rig.call('DELETE', '/connectors/hanging')
})

test('a task that failed still has a lag, also if its first put failed', async () => {
  writeFileSync(join(rig.dir, 'broken.txt'), 'a\nb\nc\n')
  const file = { 'connector.class': 'FileStreamSource', file: join(rig.dir, 'broken.txt'), topic: 'broken' }
  await rig.create('to-broken', { ...file, ...STRINGS })
  const none = { 'errors.restart.policy': 'none' }
  await rig.create('broken', { 'connector.class': 'BrokenSink', topics: 'broken', ...STRINGS, ...none })
  const now = await scrapeUntil(s => s.value('millrace_connector_lag_records', { connector: 'broken' }), 3)
  expect(now.value('kafka_connect_connector_task_status', { connector: 'broken', status: 'failed' })).toBe(1)
  const lag = now.value('millrace_connector_lag_seconds', { connector: 'broken' })!
  await scrapeUntil(s => s.value('millrace_connector_lag_seconds', { connector: 'broken' })! > lag, true)
  for (const name of ['broken', 'to-broken']) await rig.call('DELETE', `/connectors/${name}`)
})

test('/metrics answers only GET and HEAD, and can answer in the OpenMetrics format', async () => {
  const url = `${rig.worker!.restUrl}/metrics`
  expect((await fetch(url, { method: 'POST' })).status).toBe(405)
  const head = await fetch(url, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
  const open = await fetch(url, { headers: { accept: 'application/openmetrics-text;version=1.0.0,*/*;q=0.1' } })
  const text = await open.text()
  expect(text).toMatch(/\n# EOF\n$/)
  expect(text).toContain('# TYPE kafka_connect_worker_task_startup_attempts counter')
})

test('failed starts are counted, and the metrics show that a connector has failed', async () => {
  const before = await workerMetrics()
  const failures = (s: Scrape) => s.value('kafka_connect_worker_connector_startup_failure_total')!
  await rig.create('failing', {
    'connector.class': 'TestSource',
    'connector.mode': 'fails',
    'errors.restart.policy': 'none',
  })
  await scrapeUntil(s => failures(s) - failures(before), 1)
  const now = await scrapeUntil(
    s => s.value('kafka_connect_connector_status', { connector: 'failing', status: 'failed' }),
    1,
  )
  expect(now.value('kafka_connect_worker_connector_startup_failure_percentage')).toBeGreaterThan(0)
  await rig.call('DELETE', '/connectors/failing')
  await sleep(0)
})
