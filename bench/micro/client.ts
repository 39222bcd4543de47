/**
 * Micro-benchmark of the client alone. The server is another process, which does not read the
 * batches that it receives, and always answers a fetch with the same bytes. Prints records per
 * second of wall time and of CPU time. Usage: node bench/micro/client.ts [records]
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createConsumer, createProducer } from '../../core/client/index.ts'
import type { CompressionType, DeliveryListener } from '../../core/client/types.ts'

const count = Number(process.argv[2] ?? 2_000_000)
const value = Buffer.alloc(100, 'x')

interface Rate {
  readonly what: string
  readonly perSecond: number
  readonly perCpuSecond: number
}

async function measure(what: string, records: number, run: () => Promise<void>): Promise<Rate> {
  const cpu = process.cpuUsage()
  const start = performance.now()
  await run()
  const ms = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  return {
    what,
    perSecond: Math.round((records / ms) * 1000),
    perCpuSecond: Math.round((records / (user + system)) * 1_000_000),
  }
}

class Counter implements DeliveryListener {
  acked = 0
  failed: Error | null = null
  onDelivery(_token: number, error: Error | null): void {
    if (error) this.failed ??= error
    else this.acked++
  }
}

async function produce(
  port: number,
  partitions: number,
  batchSize: number,
  compressionType: CompressionType,
): Promise<Rate> {
  const producer = createProducer({ bootstrapServers: [`127.0.0.1:${port}`], batchSize, compressionType })
  const topic = `sink-${partitions}`
  await producer.partitionsFor(topic)
  const counter = new Counter()
  const send = async (n: number) => {
    for (let i = 0; i < n; i++) {
      const record = { topic, key: null, value }
      while (!producer.append(record, counter, i)) await producer.room()
    }
    await producer.flush()
  }
  await send(count / 10)
  const rate = await measure(
    `produce 100 B, ${partitions} partitions, batch.size ${batchSize}, ${compressionType}`,
    count,
    () => send(count),
  )
  await producer.close()
  if (counter.failed) throw counter.failed
  return rate
}

async function consume(port: number, checkCrcs: boolean): Promise<Rate> {
  const consumer = createConsumer({
    bootstrapServers: [`127.0.0.1:${port}`],
    autoOffsetReset: 'earliest',
    maxPollRecords: 5000,
    checkCrcs,
  })
  consumer.assign([0, 1].map(partition => ({ topic: 'sink-2', partition })))
  const read = async (n: number) => {
    for (let seen = 0; seen < n; ) for (const batch of await consumer.poll(1000)) seen += batch.records.length
  }
  await read(count / 10)
  const rate = await measure(`consume 100 B, crc ${checkCrcs ? 'checked' : 'unchecked'}`, count, () => read(count))
  await consumer.close()
  return rate
}

const sink = fork(new URL('./client-sink.ts', import.meta.url), { stdio: 'inherit' })
const [port] = (await once(sink, 'message')) as [number]
try {
  const rates: Rate[] = []
  for (const [partitions, batchSize] of [
    [1, 16_384],
    [6, 16_384],
    [1, 131_072],
  ] as const) {
    rates.push(await produce(port, partitions, batchSize, 'none'))
  }
  rates.push(await produce(port, 1, 131_072, 'lz4'))
  rates.push(await consume(port, true), await consume(port, false))
  for (const r of rates) console.log(`${r.what}: ${r.perSecond} records/s, ${r.perCpuSecond} a CPU second`)
} finally {
  sink.kill()
}
