import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sleep } from '../common/async/sleep.ts'
import type { Logger } from '../common/log.ts'
import { ProduceRequest, ProduceResponse } from '../protocol/messages/00-produce.ts'
import { FetchRequest } from '../protocol/messages/01-fetch.ts'
import { MetadataRequest, MetadataResponse } from '../protocol/messages/03-metadata.ts'
import { batchOf } from './test-support/batches.ts'
import { RawClient } from './test-support/raw-client.ts'
import { silentLogger, startTestBroker, type TestBroker } from './test-support/test-broker.ts'

const warnings: string[] = []
const logger: Logger = {
  ...silentLogger,
  warn: m => void warnings.push(m),
  error: m => void warnings.push(`ERROR ${m}`),
}

let b: TestBroker
beforeAll(async () => {
  b = await startTestBroker({ 'queued.max.request.bytes': String(8 << 20) }, { logger })
})
afterAll(() => b.close())

/** Checks that the broker still answers other clients. */
async function serves(): Promise<void> {
  const c = await RawClient.connect(b.port)
  const { brokers } = await c.request(MetadataRequest, MetadataResponse, 12, { topics: [{ name: 'alive' }] })
  expect(brokers.length).toBe(1)
  c.close()
}

async function open(): Promise<Socket> {
  const socket = connect(b.port, '127.0.0.1')
  socket.on('error', () => socket.destroy())
  await once(socket, 'connect')
  return socket
}

function frame(body: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

function header(apiKey: number, apiVersion: number): Buffer {
  const h = Buffer.alloc(10)
  h.writeInt16BE(apiKey, 0)
  h.writeInt16BE(apiVersion, 2)
  h.writeInt32BE(1, 4)
  h.writeInt16BE(-1, 8)
  return h
}

test('random bytes close their connection, with one log line, without affecting other clients', async () => {
  for (let i = 0; i < 30; i++) {
    warnings.length = 0
    const socket = await open()
    socket.end(Buffer.concat([Buffer.from([0x7f]), randomBytes(200)]))
    await once(socket.resume(), 'close')
    expect(warnings).toEqual([
      expect.stringMatching(
        /^Closing the connection from 127\.0\.0\.1:\d+: Cannot read the request.*MR_BROKER_BAD_REQUEST/,
      ),
    ])
  }
  await serves()
})

test('the broker answers any request body or closes the connection, and keeps running', async () => {
  const keys = fc.constantFrom(
    0,
    1,
    2,
    3,
    8,
    9,
    10,
    11,
    12,
    13,
    14,
    15,
    16,
    18,
    19,
    20,
    21,
    22,
    23,
    32,
    33,
    35,
    37,
    42,
    43,
    44,
    47,
    60,
    61,
    74,
    75,
    99,
    -1,
  )
  await fc.assert(
    fc.asyncProperty(
      keys,
      fc.integer({ min: -1, max: 20 }),
      fc.uint8Array({ maxLength: 120 }),
      async (key, version, bytes) => {
        const socket = await open()
        socket.end(frame(Buffer.concat([header(key, version), Buffer.from(bytes)])))
        await once(socket.resume(), 'close')
      },
    ),
    { numRuns: 400 },
  )
  expect(warnings.filter(w => w.startsWith('ERROR'))).toEqual([])
  await serves()
})

test('an array that claims two billion elements uses neither memory nor time', async () => {
  const before = process.memoryUsage().rss
  for (const count of [0x7fffffff, 0x10000000, -5]) {
    const body = Buffer.alloc(12)
    body.writeInt32BE(count, 0)
    const socket = await open()
    socket.end(frame(Buffer.concat([header(3, 1), body])))
    await once(socket.resume(), 'close')
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(100e6)
  await serves()
})

test('a request with millions of topics, three bytes each, is rejected before objects are created', async () => {
  warnings.length = 0
  const topics = 1_300_000
  const count = Buffer.from([((topics + 1) & 127) | 128, (((topics + 1) >> 7) & 127) | 128, (topics + 1) >> 14])
  const body = [header(9, 8), Buffer.from([0, 2, 2, 0x61]), count, Buffer.alloc(topics * 3, Buffer.from([1, 1, 0]))]
  const socket = await open()
  socket.end(frame(Buffer.concat([...body, Buffer.alloc(3)])))
  await once(socket.resume(), 'close')
  expect(warnings).toEqual([expect.stringMatching(/an array has 1300000 elements.*MR_PROTOCOL_MALFORMED/)])
  await serves()
})

test('a request of 90 MB for an API without records is rejected as soon as its first bytes arrive', async () => {
  warnings.length = 0
  const start = frame(Buffer.concat([header(9, 8), Buffer.alloc(1000)]))
  start.writeInt32BE(90 << 20)
  const socket = await open()
  socket.write(start)
  await once(socket.resume(), 'close')
  expect(warnings).toEqual([expect.stringMatching(/for OffsetFetch.*MR_BROKER_BAD_REQUEST/)])
  await serves()
})

test('incomplete requests do not affect other clients, and a request sent byte by byte is answered', async () => {
  const halves = await Promise.all(Array.from({ length: 50 }, open))
  for (const s of halves) s.write(Buffer.from([0, 0, 1, 0, 0, 3]))
  await serves()
  const c = await RawClient.connect(b.port)
  const answer = c.nextFrame()
  for (const byte of frame(Buffer.concat([header(18, 0)]))) c.socket.write(Buffer.from([byte]))
  expect((await answer).readInt32BE(0)).toBe(1)
  c.close()
  for (const s of halves) s.destroy()
})

test('250 connections that announce 100 MB each and start sending stay within the memory limit', async () => {
  const sockets = await Promise.all(Array.from({ length: 250 }, open))
  const before = process.memoryUsage().arrayBuffers
  const start = Buffer.alloc(200_000)
  start.writeInt32BE(104857600 - 1)
  // This is 50 MB in total, more than six times queued.max.request.bytes.
  for (const s of sockets) s.write(start)
  await serves()
  await serves()
  const server = process.memoryUsage().arrayBuffers - before - sockets.reduce((n, s) => n + s.writableLength, 0)
  expect(server).toBeLessThan(250 * 300_000 + (32 << 20))
  for (const s of sockets) s.destroy()
  await Promise.all(sockets.filter(s => !s.closed).map(s => once(s, 'close')))
  await serves()
})

test('a complete request succeeds even while other connections hold the memory with incomplete requests', async () => {
  const hogs = await Promise.all(Array.from({ length: 20 }, open))
  const start = Buffer.alloc(600_000)
  start.writeInt32BE(50_000_000)
  for (const s of hogs) s.write(start)
  const c = await RawClient.connect(b.port)
  await c.request(MetadataRequest, MetadataResponse, 12, { topics: [{ name: 'squeezed' }] })
  const value = 'x'.repeat(900_000)
  const partitionData = [{ index: 0, records: batchOf(value) }]
  const r = await c.request(ProduceRequest, ProduceResponse, 12, {
    acks: 1,
    topicData: [{ name: 'squeezed', partitionData }],
  })
  expect(r.responses[0]?.partitionResponses[0]?.errorCode).toBe(0)
  c.close()
  for (const s of hogs) s.destroy()
})

test('a thousand clients that connect at the same time are all answered', async () => {
  const clients = await Promise.all(Array.from({ length: 1000 }, () => RawClient.connect(b.port)))
  const answers = clients.map(c => c.request(MetadataRequest, MetadataResponse, 12, { topics: [] }))
  expect((await Promise.all(answers)).length).toBe(1000)
  for (const c of clients) c.close()
  await Promise.all(clients.map(c => c.closed))
})

test('the unsent responses of a client that does not read use a limited amount of memory', async () => {
  const c = await RawClient.connect(b.port)
  await c.request(MetadataRequest, MetadataResponse, 12, { topics: [{ name: 'big' }] })
  for (let i = 0; i < 20; i++) {
    const partitionData = [{ index: 0, records: batchOf('y'.repeat(1_000_000)) }]
    await c.request(ProduceRequest, ProduceResponse, 12, { acks: 1, topicData: [{ name: 'big', partitionData }] })
  }
  const greedy = await RawClient.connect(b.port)
  greedy.socket.pause()
  const before = process.memoryUsage().arrayBuffers
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 50_000_000 }]
  for (let i = 0; i < 100; i++)
    greedy.send(FetchRequest, 12, { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 'big', partitions }] })
  for (let i = 0; i < 5; i++) await serves()
  // The broker keeps only one response of 20 MB in memory, not a hundred.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100e6)
  greedy.close()
  c.close()
})

test('connections beyond max.connections are rejected until another connection closes', async () => {
  const small = await startTestBroker({ 'max.connections': '2' })
  const [one, two] = [await RawClient.connect(small.port), await RawClient.connect(small.port)]
  await two.request(MetadataRequest, MetadataResponse, 12, { topics: [] })
  const three = await RawClient.connect(small.port)
  await three.closed
  one.close()
  await one.closed
  for (;;) {
    const next = await RawClient.connect(small.port)
    const got = await Promise.race([
      next.request(MetadataRequest, MetadataResponse, 12, { topics: [] }).catch(() => null),
      next.closed,
    ])
    next.close()
    if (got) break
  }
  two.close()
  await small.close()
})

test('sending a response counts as activity for connections.max.idle.ms', { timeout: 15_000 }, async () => {
  const strict = await startTestBroker({ 'connections.max.idle.ms': '3000' })
  const c = await RawClient.connect(strict.port)
  await c.request(MetadataRequest, MetadataResponse, 12, { topics: [{ name: 't' }] })
  const topics = [{ topic: 't', partitions: [{ partition: 0 }] }]
  c.send(FetchRequest, 12, { maxWaitMs: 2000, minBytes: 1, topics })
  expect((await c.nextFrame()).length).toBeGreaterThan(0)
  // After this wait, the request is older than connections.max.idle.ms, and the broker has checked
  // twice for idle connections.
  await sleep(2000)
  const { brokers } = await c.request(MetadataRequest, MetadataResponse, 12, { topics: [] })
  expect(brokers.length).toBe(1)
  await c.closed
  await strict.close()
})

test('a connection that is idle for longer than connections.max.idle.ms is closed', async () => {
  const strict = await startTestBroker({ 'connections.max.idle.ms': '1' })
  const c = await RawClient.connect(strict.port)
  await c.closed
  await strict.close()
})
