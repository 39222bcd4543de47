import { join } from 'node:path'
import { alternate, type Figures, type Summary } from '../lib/compare.ts'
import { kafkaTool, type RunningBroker, startApache, startMillrace } from '../lib/kafka.ts'

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

/** The last line of Apache's producer perf test: records/s, MB/s, latencies. */
function parseProduce(out: string): Figures {
  const last = out.trim().split('\n').at(-1) ?? ''
  const m = /([\d.]+) records\/sec \(([\d.]+) MB\/sec\), ([\d.]+) ms avg.*?([\d.]+) ms 99th/.exec(last)
  if (!m) throw new Error(`the producer perf test printed: ${out.slice(-500)}`)
  return { 'produce records/s': Number(m[1]), 'produce MB/s': Number(m[2]) }
}

/** The line of Apache's consumer perf test; its fetch rate leaves the joining of the group out. */
function parseConsume(out: string): Figures {
  const lines = out.trim().split('\n')
  const at = lines.findIndex(l => l.startsWith('start.time'))
  const names = lines[at]?.split(/,\s*/) ?? []
  const values = lines[at + 1]?.split(/,\s*/) ?? []
  const get = (name: string) => Number(values[names.findIndex(n => n.startsWith(name))])
  return { 'consume MB/s': get('fetch.MB.sec'), 'consume records/s': get('fetch.nMsg.sec') }
}

async function load(broker: RunningBroker, l: Load, round: number): Promise<Figures> {
  const topic = `bench-${l.recordSize}-${l.partitions}-${round}`
  await kafkaTool('topics', [
    '--bootstrap-server',
    broker.bootstrap,
    '--create',
    '--topic',
    topic,
    '--partitions',
    String(l.partitions),
  ])
  const cpu = broker.cpuSeconds()
  const produced = parseProduce(
    await kafkaTool('producer-perf-test', [
      '--topic',
      topic,
      '--num-records',
      String(l.records),
      '--record-size',
      String(l.recordSize),
      '--throughput',
      '-1',
      '--producer-props',
      `bootstrap.servers=${broker.bootstrap}`,
      'acks=all',
    ]),
  )
  const produceCpu = broker.cpuSeconds() - cpu
  // counts what arrives: it ends when it has them all, or prints fewer
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
  await kafkaTool('topics', ['--bootstrap-server', broker.bootstrap, '--delete', '--topic', topic])
  return { ...produced, 'broker CPU s while producing': produceCpu, ...consumed, 'broker peak MB': broker.peakMb() }
}

/** Apache's perf tools against both brokers, and against ours a second time as the control. */
export async function brokerBench(
  dir: string,
  rounds: number,
  say: (text: string) => void,
): Promise<{ title: string; summaries: Summary[] }[]> {
  const brokers = [
    { name: 'Millrace', broker: await startMillrace(join(dir, 'a')) },
    { name: 'Apache Kafka', broker: await startApache(join(dir, 'b')) },
    { name: 'Millrace (control)', broker: await startMillrace(join(dir, 'c')) },
  ]
  const results: { title: string; summaries: Summary[] }[] = []
  try {
    for (const l of LOADS) {
      say(l.title)
      const sides = brokers.map(({ name, broker }) => ({ name, run: (round: number) => load(broker, l, round) }))
      results.push({
        title: `Produce (acks=all) and consume, ${l.title}`,
        summaries: await alternate(sides, rounds, say),
      })
    }
  } finally {
    for (const { broker } of brokers) await broker.stop()
  }
  return results
}
