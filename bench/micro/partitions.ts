/**
 * Micro-benchmark of changes in a broker with many partitions. Prints the time, the CPU time, and
 * the longest time for which the event loop was busy. `--root` measures another checkout. Usage:
 * node bench/micro/partitions.ts [--partitions 10000] [--root DIR]
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import type { Broker } from '../../core/broker/broker.ts'
import { batchOf } from '../../core/broker/test-support/batches.ts'
import { RawClient } from '../../core/broker/test-support/raw-client.ts'
import { sleep } from '../../core/common/async/sleep.ts'

const { values } = parseArgs({
  options: { partitions: { type: 'string', default: '10000' }, root: { type: 'string' }, dir: { type: 'string' } },
})
const total = Number(values.partitions)
const root = resolve(values.root ?? join(import.meta.dirname, '../..'))
const { startBroker } = (await import(join(root, 'core/broker/broker.ts'))) as {
  startBroker(config: Record<string, string>): Promise<Broker>
}
const { setLogLevel } = await import(join(root, 'core/common/log.ts'))
setLogLevel('millrace', 'OFF')

const PER_TOPIC = 10
const TOPICS_PER_REQUEST = 10
const dir = mkdtempSync(join(values.dir ?? tmpdir(), 'millrace-bench-partitions-'))
const settings = {
  'log.dirs': dir,
  listeners: 'PLAINTEXT://127.0.0.1:0',
  // The files of deleted partitions are removed during the measurement.
  'log.segment.delete.delay.ms': '0',
}

async function measured<T>(what: string, run: () => Promise<T>): Promise<T> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  await sleep(20)
  delay.reset()
  const cpu = process.cpuUsage()
  const began = performance.now()
  const result = await run()
  const ms = performance.now() - began
  const { user, system } = process.cpuUsage(cpu)
  await sleep(5)
  delay.disable()
  const columns = [ms, (user + system) / 1000, delay.max / 1e6].map(n => n.toFixed(1).padStart(10))
  process.stdout.write(`${what.padEnd(46)}${columns.join('')}\n`)
  return result
}

const topic = (name: string, numPartitions: number) => ({ name, numPartitions, replicationFactor: 1 })
let broker: Broker
let client: RawClient

async function call(name: Parameters<RawClient['call']>[0], input: object, version?: number) {
  const answer = await client.call(name, input, version)
  const failed = /"errorCode":(?!0\b)-?\d+[^}]*/.exec(JSON.stringify(answer))
  if (failed) throw new Error(`${name}: ${failed[0]}`)
  return answer
}

const alter = (resourceType: number, resourceName: string, name: string, value: string) =>
  call('IncrementalAlterConfigs', {
    resources: [{ resourceType, resourceName, configs: [{ name, configOperation: 0, value }] }],
  })

async function start(): Promise<void> {
  broker = await startBroker(settings)
  client = await RawClient.connect(broker.port)
}

async function stop(): Promise<void> {
  client.close()
  await broker.close()
}

const memory = () =>
  `${Math.round(process.memoryUsage().rss / 2 ** 20)} MB, ${readdirSync('/proc/self/fd').length} files`

try {
  process.stdout.write(`${`${total} partitions, ${root}`.padEnd(46)}        ms    CPU ms   busy ms\n`)
  await start()
  const topics = Math.ceil(total / PER_TOPIC)
  await measured(`create ${topics} topics of ${PER_TOPIC} partitions`, async () => {
    for (let i = 0; i < topics; i += TOPICS_PER_REQUEST) {
      const names = Array.from({ length: Math.min(TOPICS_PER_REQUEST, topics - i) }, (_, n) => `t.${i + n}`)
      await call('CreateTopics', { topics: names.map(n => topic(n, PER_TOPIC)), timeoutMs: 600_000 })
    }
  })
  await measured('create 20 topics, one by one', async () => {
    for (let i = 0; i < 20; i++) await call('CreateTopics', { topics: [topic(`one.${i}`, 1)], timeoutMs: 60_000 })
  })
  await measured('add a partition to 20 topics, one by one', async () => {
    for (let i = 0; i < 20; i++)
      await call('CreatePartitions', {
        topics: [{ name: `t.${i}`, count: PER_TOPIC + 1, assignments: null }],
        timeoutMs: 60_000,
      })
  })
  await measured('alter the config of 100 topics, one by one', async () => {
    for (let i = 0; i < 100; i++) await alter(2, `t.${i}`, 'retention.ms', String(1e9 + i))
  })
  await measured('alter a config of the broker 20 times', async () => {
    for (let i = 0; i < 20; i++) await alter(4, '', 'max.connections', String(1e6 + i))
  })
  await measured('metadata of one topic, 1000 times', async () => {
    for (let i = 0; i < 1000; i++) await call('Metadata', { topics: [{ name: 't.7' }] }, 12)
  })
  await measured('delete 300 partitions in one request', () =>
    call('DeleteTopics', {
      topics: Array.from({ length: 30 }, (_, i) => ({ name: `t.${i + 100}` })),
      timeoutMs: 60_000,
    }),
  )
  await measured('delete 20 topics, one by one', async () => {
    for (let i = 0; i < 20; i++) await call('DeleteTopics', { topics: [{ name: `t.${i + 200}` }], timeoutMs: 60_000 })
  })
  await sleep(6000)
  await measured('12 seconds without any request', () => sleep(12_000))
  await measured('12 seconds of 10 appends a second', async () => {
    for (let i = 0; i < 120; i++) {
      const topicData = [{ name: 't.7', partitionData: [{ index: 0, records: batchOf('x') }] }]
      await call('Produce', { acks: -1, timeoutMs: 5000, topicData }, 12)
      await sleep(100)
    }
  })
  process.stdout.write(`running: ${memory()}\n`)
  await measured('stop', stop)
  await measured('start', start)
  process.stdout.write(`started again: ${memory()}\n`)
  await measured('stop', stop)
} finally {
  rmSync(dir, { recursive: true, force: true })
}
