import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { nextTurn } from '../common/async/next-turn.ts'
import { BufferPool } from '../common/buffer-pool.ts'
import { decodeResponseHeader, encodeRequestFrame } from '../protocol/headers.ts'
import { ProduceRequest, ProduceResponse } from '../protocol/messages/00-produce.ts'
import { FetchRequest, FetchResponse } from '../protocol/messages/01-fetch.ts'
import { CreateTopicsRequest, CreateTopicsResponse } from '../protocol/messages/19-create-topics.ts'
import { RecordBatchBuilder } from '../protocol/records/batch-builder.ts'
import { readBatches } from '../protocol/records/batch-reader.ts'
import { decode } from '../protocol/schema/codec.ts'
import { RawClient } from './test-support/raw-client.ts'
import { startTestBroker } from './test-support/test-broker.ts'

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const PARTITIONS = 4
const PRODUCERS = 3
const REQUESTS = 40
const PRODUCE_VERSION = 9
const FETCH_VERSION = 12

/** mulberry32, a small random generator. The same seed gives the same numbers. */
function randomOf(start: number): () => number {
  let state = start >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** For each partition, the first value of each acknowledged batch, by the batch's offset. */
type Acked = Map<number, string>[]

/** Lets readers wait until the producers have made progress. */
class Progress {
  acks = 0
  producing = PRODUCERS
  #waiting: { at: number; resolve: () => void }[] = []

  ack(): void {
    this.acks++
    this.#wake()
  }

  producerIsDone(): void {
    this.producing--
    this.#wake()
  }

  /** Resolves after `count` more acknowledgements, or when all producers are done. */
  after(count: number): Promise<void> {
    return new Promise(resolve => {
      this.#waiting.push({ at: this.acks + count, resolve })
      this.#wake()
    })
  }

  #wake(): void {
    const ready = this.#waiting.filter(w => w.at <= this.acks || this.producing === 0)
    this.#waiting = this.#waiting.filter(w => !ready.includes(w))
    for (const w of ready) w.resolve()
  }
}

function batchOf(id: string, bytes: number): Buffer {
  const builder = new RecordBatchBuilder({})
  builder.append(null, Buffer.from(id), Date.now(), [])
  builder.append(null, Buffer.alloc(bytes, id), Date.now(), [])
  return builder.build()
}

/**
 * Sends pipelined requests of various sizes, in pieces of random length. Aborts some requests in
 * the middle.
 */
async function produce(port: number, name: string, random: () => number, acked: Acked, progress: Progress) {
  let client = await RawClient.connect(port)
  const answers: Promise<void>[] = []
  for (let n = 0; n < REQUESTS; n++) {
    const partitions = [...Array(PARTITIONS).keys()].filter(() => random() < 0.5)
    const ids = partitions.map(p => `${name}-${n}-${p}`)
    const size = () => Math.floor(10 ** (1 + 4.5 * random()))
    const partitionData = partitions.map((index, i) => ({ index, records: batchOf(ids[i]!, size()) }))
    const acks = random() < 0.1 ? 0 : random() < 0.5 ? 1 : -1
    const header = { apiKey: 0, apiVersion: PRODUCE_VERSION, correlationId: n, clientId: name }
    const input = { acks, timeoutMs: 5000, topicData: [{ name: 't', partitionData }] }
    const frame = Buffer.concat(encodeRequestFrame(header, ProduceRequest, input))
    const end = random() < 0.1 ? Math.floor(frame.length * random()) : frame.length
    // Expect the response before the last piece is sent, because it may arrive while this function
    // waits.
    const answer = acks === 0 || end < frame.length ? null : client.nextFrame()
    for (let at = 0; at < end; ) {
      const to = Math.min(end, at + Math.ceil(frame.length * random() ** 2))
      client.socket.write(frame.subarray(at, to))
      if (random() < 0.5) await nextTurn()
      at = to
    }
    if (end < frame.length) {
      await Promise.all(answers.splice(0))
      client.socket.resetAndDestroy()
      client = await RawClient.connect(port)
      continue
    }
    if (answer === null) continue
    const sent = answer.then(bytes => {
      const { end: at } = decodeResponseHeader(0, PRODUCE_VERSION, bytes)
      const { responses } = decode(ProduceResponse, PRODUCE_VERSION, bytes, at)
      for (const p of responses[0]!.partitionResponses) {
        expect(p.errorCode).toBe(0)
        acked[p.index]!.set(p.baseOffset, ids[partitions.indexOf(p.index)]!)
      }
      progress.ack()
    })
    answers.push(sent)
    if (answers.length >= 5) await answers.shift()
  }
  await Promise.all(answers)
  client.close()
  progress.producerIsDone()
}

function fetchFrame(offsets: readonly number[], partitionMaxBytes: number): Buffer {
  const partitions = offsets.map((fetchOffset, partition) => ({ partition, fetchOffset, partitionMaxBytes }))
  const input = { maxWaitMs: 50, minBytes: 1, maxBytes: 64 << 20, topics: [{ topic: 't', partitions }] }
  const header = { apiKey: 1, apiVersion: FETCH_VERSION, correlationId: 1, clientId: 'reader' }
  return Buffer.concat(encodeRequestFrame(header, FetchRequest, input))
}

/**
 * Checks every batch of a response, advances `offsets`, and passes the first value of each batch to
 * `see`.
 */
function check(answer: Buffer, offsets: number[], see: (partition: number, offset: number, value: string) => void) {
  const { end } = decodeResponseHeader(1, FETCH_VERSION, answer)
  const response = decode(FetchResponse, FETCH_VERSION, answer, end)
  for (const p of response.responses[0]?.partitions ?? []) {
    expect(p.errorCode).toBe(0)
    for (const batch of readBatches(p.records ?? Buffer.alloc(0), { checkCrc: true })) {
      if (batch.lastOffset < offsets[p.partitionIndex]!) continue
      expect(batch.baseOffset).toBe(offsets[p.partitionIndex]!)
      offsets[p.partitionIndex] = batch.lastOffset + 1
      see(p.partitionIndex, batch.baseOffset, String(batch.records()[0]!.value))
    }
  }
}

/**
 * Reads all records, from the tail cache if possible, until the producers are done and no more
 * records arrive.
 */
async function follow(port: number, partitionMaxBytes: number, progress: Progress): Promise<Acked> {
  const client = await RawClient.connect(port)
  const seen: Acked = Array.from({ length: PARTITIONS }, () => new Map<number, string>())
  const offsets = seen.map(() => 0)
  for (let before = -1; ; ) {
    const isLast = progress.producing === 0
    client.socket.write(fetchFrame(offsets, partitionMaxBytes))
    check(await client.nextFrame(), offsets, (p, offset, value) => seen[p]!.set(offset, value))
    const now = offsets.reduce((a, b) => a + b)
    if (isLast && now === before) break
    before = now
  }
  client.close()
  return seen
}

/**
 * Fetches all partitions, and waits until the producers have made progress. Only then reads the
 * response, or resets the connection without reading it.
 */
async function readSlowly(port: number, random: () => number, progress: Progress): Promise<void> {
  while (progress.producing > 0) {
    const socket = connect({ port, host: '127.0.0.1' })
    await once(socket, 'connect')
    // Start at the beginning, or at a random later offset.
    const front = random() < 0.7
    const offsets = Array.from({ length: PARTITIONS }, () => (front ? 0 : Math.floor(random() * progress.acks * 0.5)))
    socket.write(fetchFrame(offsets, 4 << 20))
    await progress.after(10)
    if (random() < 0.3) {
      socket.resetAndDestroy()
      continue
    }
    const parts: Buffer[] = []
    let size = -1
    let got = 0
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      parts.push(chunk)
      got += chunk.length
      if (size < 0 && got >= 4) size = 4 + Buffer.concat(parts).readInt32BE(0)
      if (got === size) break
    }
    const answer = Buffer.concat(parts).subarray(4)
    const { end } = decodeResponseHeader(1, FETCH_VERSION, answer)
    const first = decode(FetchResponse, FETCH_VERSION, answer, end).responses[0]!
    for (const p of first.partitions) {
      const [batch] = readBatches(p.records ?? Buffer.alloc(0), { checkCrc: true })
      if (batch) offsets[p.partitionIndex] = batch.baseOffset
    }
    check(answer, offsets, () => {})
  }
}

test(`buffers are reused only after their last reader is done (seed ${seed})`, { timeout: 120_000 }, async () => {
  let returned = 0
  const pool = new BufferPool({
    onGive(memory) {
      returned++
      memory.fill(0xdb)
    },
  })
  // The tail cache is much smaller than the records that are written, so its buffers are reused.
  const settings = { 'millrace.log.tail.cache.bytes': String(2 << 20) }
  await using b = await startTestBroker(settings, { pool })
  const admin = await RawClient.connect(b.port)
  await admin.request(CreateTopicsRequest, CreateTopicsResponse, 5, {
    topics: [{ name: 't', numPartitions: PARTITIONS, replicationFactor: 1 }],
    timeoutMs: 10_000,
  })
  admin.close()
  const acked: Acked = Array.from({ length: PARTITIONS }, () => new Map<number, string>())
  const progress = new Progress()
  const slowReaders = [1, 2, 3].map(n => readSlowly(b.port, randomOf(seed - n), progress))
  const followers = [1000, 100_000, 1 << 20].map(size => follow(b.port, size, progress))
  const producers = [...Array(PRODUCERS).keys()].map(n =>
    produce(b.port, `producer ${n}`, randomOf(seed + n), acked, progress),
  )
  await Promise.all([...producers, ...slowReaders])
  for (const seen of [...(await Promise.all(followers)), await follow(b.port, 1 << 20, progress)]) {
    for (const [p, values] of acked.entries()) {
      for (const [offset, value] of values) expect(seen[p]!.get(offset)).toBe(value)
    }
  }
  expect(returned).toBeGreaterThan(200)
})
