import { join } from 'node:path'
import type { Figures, Summary } from '../lib/compare.ts'
import { kafkaTool, type RunningBroker, startApache, startMillrace } from '../lib/kafka.ts'
import { compareWarm, OTHER, otherCheckout, type WarmCase, type WarmSide } from '../lib/warm.ts'

interface Load {
  readonly title: string
  readonly recordSize: number
  readonly records: number
  readonly partitions: number
}

const LOADS: readonly Load[] = [
  { title: '1 KiB, 1 partition', recordSize: 1024, records: 400_000, partitions: 1 },
  { title: '1 KiB, 6 partitions', recordSize: 1024, records: 600_000, partitions: 6 },
  { title: '100 B, 1 partition', recordSize: 100, records: 2_000_000, partitions: 1 },
  { title: '100 B, 6 partitions', recordSize: 100, records: 2_500_000, partitions: 6 },
]

/**
 * Parses the last line of Apache's producer perf test: records/s, MB/s and latencies in ms, all
 * without the warm-up.
 */
function parseProduce(out: string) {
  const last = out.trim().split('\n').at(-1) ?? ''
  const m = /([\d.]+) records\/sec \(([\d.]+) MB\/sec\).* (\d+) ms 50th, (\d+) ms 95th, (\d+) ms 99th/.exec(last)
  if (!m) throw new Error(`the producer perf test printed: ${out.slice(-500)}`)
  const [records, mb, p50, p95, p99] = m.slice(1).map(Number) as [number, number, number, number, number]
  return { records, mb, p50, p95, p99 }
}

/**
 * Parses the last line of Apache's end-to-end latency tool, in ms. The tool prints percentiles as
 * whole numbers.
 */
function parseEndToEnd(out: string): Figures {
  const m = /Avg latency: ([\d.]+) ms\s+Percentiles: 50th = (\d+), 99th = (\d+), 99.9th = (\d+)/.exec(out)
  if (!m) throw new Error(`the end-to-end latency tool printed: ${out.slice(-500)}`)
  return { 'average ms': Number(m[1]), 'p50 ms': Number(m[2]), 'p99 ms': Number(m[3]), 'p99.9 ms': Number(m[4]) }
}

/**
 * Parses the output of Apache's consumer perf test. The fetch rate excludes the time to join the
 * group.
 */
function parseConsume(out: string): Figures {
  const lines = out.trim().split('\n')
  const at = lines.findIndex(l => l.startsWith('start.time'))
  const names = lines[at]?.split(/,\s*/) ?? []
  const values = lines[at + 1]?.split(/,\s*/) ?? []
  const get = (name: string) => Number(values[names.findIndex(n => n.startsWith(name))])
  return { 'consume MB/s': get('fetch.MB.sec'), 'consume records/s': get('fetch.nMsg.sec') }
}

/** Calls `run` with a new topic, and deletes the topic afterwards. */
async function onTopic<T>(broker: RunningBroker, name: string, partitions: number, run: (topic: string) => Promise<T>) {
  const topics = ['--bootstrap-server', broker.bootstrap, '--topic', name]
  await kafkaTool('topics', [...topics, '--create', '--partitions', String(partitions)])
  const result = await run(name)
  await kafkaTool('topics', [...topics, '--delete'])
  return result
}

/** Produces records at a rate. `perSecond` -1 means as fast as possible. */
async function produce(broker: RunningBroker, topic: string, records: number, recordSize: number, perSecond: number) {
  return parseProduce(
    await kafkaTool('producer-perf-test', [
      '--topic',
      topic,
      '--num-records',
      String(records),
      '--record-size',
      String(recordSize),
      '--throughput',
      String(perSecond),
      '--warmup-records',
      String(records / 4),
      '--reporting-interval',
      '60000',
      '--bootstrap-server',
      broker.bootstrap,
      '--command-property',
      'acks=all',
    ]),
  )
}

function throughput(broker: RunningBroker, l: Load, round: number): Promise<Figures> {
  return onTopic(broker, `bench-${l.recordSize}-${l.partitions}-${round}`, l.partitions, async topic => {
    const start = broker.cpuSeconds()
    const produced = await produce(broker, topic, l.records, l.recordSize, -1)
    const between = broker.cpuSeconds()
    // The tool ends when it has received all records, or when it reports that it received fewer.
    const consumed = parseConsume(
      await kafkaTool('consumer-perf-test', [
        '--bootstrap-server',
        broker.bootstrap,
        '--topic',
        topic,
        '--num-records',
        String(l.records),
        '--timeout',
        '60000',
      ]),
    )
    const gigabytes = (l.records * l.recordSize) / 1e9
    return {
      'produce records/s': produced.records,
      'produce MB/s': produced.mb,
      'broker CPU s per GB produced': (between - start) / gigabytes,
      ...consumed,
      'broker CPU s per GB consumed': (broker.cpuSeconds() - between) / gigabytes,
      'broker peak MB': broker.peakMb(),
    }
  })
}

/**
 * Measures the latency of a producer for ten seconds, at 20 MB/s, which both brokers can easily
 * handle.
 */
function produceLatency(broker: RunningBroker, partitions: number, round: number): Promise<Figures> {
  return onTopic(broker, `latency-${partitions}-${round}`, partitions, async topic => {
    const { mb, p50, p95, p99 } = await produce(broker, topic, 200 * 1024, 1024, 20 * 1024)
    return { 'produce MB/s': mb, 'p50 ms': p50, 'p95 ms': p95, 'p99 ms': p99 }
  })
}

/** Measures the latency from `send` to the consumer's `poll`, with one record at a time. */
function endToEnd(broker: RunningBroker, round: number): Promise<Figures> {
  return onTopic(broker, `end-to-end-${round}`, 1, async topic =>
    parseEndToEnd(await kafkaTool('e2e-latency', [broker.bootstrap, topic, '10000', 'all', '100'])),
  )
}

const CASES: readonly WarmCase<RunningBroker>[] = [
  ...LOADS.map(l => ({
    title: `Produce (acks=all) and consume, ${l.title}`,
    leading: 'produce records/s',
    // The first case has already warmed up the brokers.
    warmUp: 2,
    run: (broker: RunningBroker, round: number) => throughput(broker, l, round),
  })),
  ...[1, 6].map(partitions => ({
    title: `Latency of produce (acks=all) at 20 MB/s, 1 KiB, ${partitions} ${partitions === 1 ? 'partition' : 'partitions'}`,
    leading: null,
    run: (broker: RunningBroker, round: number) => produceLatency(broker, partitions, round),
  })),
  {
    title: 'Latency from end to end, 100 B, one record at a time (acks=all)',
    leading: null,
    run: (broker, round) => endToEnd(broker, round),
  },
]

/**
 * Runs Apache's perf tools with both brokers, and with Millrace a second time as the control. The
 * brokers keep running.
 */
export async function brokerBench(
  dir: string,
  rounds: number,
  say: (text: string) => void,
): Promise<{ title: string; summaries: Summary[] }[]> {
  const base = otherCheckout()
  const sides: WarmSide<RunningBroker>[] = [
    { name: 'Millrace', target: await startMillrace(join(dir, 'a')) },
    base
      ? { name: OTHER, target: await startMillrace(join(dir, 'b'), base) }
      : { name: 'Apache Kafka', target: await startApache(join(dir, 'b')) },
    { name: 'Millrace (control)', target: await startMillrace(join(dir, 'c')) },
  ]
  const results: { title: string; summaries: Summary[] }[] = []
  try {
    for (const c of CASES) results.push(await compareWarm(c, sides, { rounds, say }))
  } finally {
    for (const { target } of sides) await target.stop()
  }
  return results
}
