import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts'
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts'
import { SimBroker } from '../test-support/sim-broker.ts'
import { defineApi } from './api.ts'
import { Connection, type ConnectionOptions } from './connection.ts'
import { Traffic } from './traffic.ts'

const Produce = defineApi(ProduceRequest, ProduceResponse)
const Metadata = defineApi(MetadataRequest, MetadataResponse)
const OPTIONS: ConnectionOptions = {
  clientId: 'test',
  setupTimeoutMs: 10_000,
  maxIdleMs: 0,
  requestTimeoutMs: 10_000,
  traffic: new Traffic(),
}
const never = new AbortController().signal
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const f of cleanups.splice(0).reverse()) await f()
})

async function serve(onSocket: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = []
  const server: Server = createServer(socket => {
    sockets.push(socket)
    socket.on('error', () => socket.destroy())
    onSocket(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => {
    for (const s of sockets) s.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function simulated(): Promise<{ broker: SimBroker; connection: Connection }> {
  const broker = await SimBroker.start({ topics: { t: 1 } })
  cleanups.push(() => broker.stop())
  const connection = await Connection.open({ host: '127.0.0.1', port: broker.port }, OPTIONS, never)
  cleanups.push(() => connection.close())
  return { broker, connection }
}

test('requests are pipelined, and each request gets its own response', async () => {
  const { connection } = await simulated()
  const version = connection.version(Metadata)
  const answers = await Promise.all(
    ['t', 'x', 't'].map(name => connection.request(Metadata, version, { topics: [{ name }] })),
  )
  expect(answers.map(a => a.topics.map(t => [t.name, t.errorCode]))).toEqual([[['t', 0]], [['x', 3]], [['t', 0]]])
})

test('the error of a refused connection contains the address', async () => {
  await expect(Connection.open({ host: '127.0.0.1', port: 1 }, OPTIONS, never)).rejects.toMatchObject({
    code: 'MR_CLIENT_CONNECT',
    retriable: true,
    message: expect.stringContaining('127.0.0.1:1'),
  })
})

test('opening a connection times out if the server accepts the connection but does not respond', async () => {
  const port = await serve(() => undefined)
  const hasty = { ...OPTIONS, setupTimeoutMs: 100 }
  await expect(Connection.open({ host: '127.0.0.1', port }, hasty, never)).rejects.toMatchObject({
    code: expect.stringMatching(/^MR_CLIENT_(REQUEST_TIMEOUT|CONNECT)$/),
  })
})

test('a server with another protocol causes MR_CLIENT_BAD_RESPONSE, not a timeout', async () => {
  const port = await serve(socket => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'))
  await expect(Connection.open({ host: '127.0.0.1', port }, OPTIONS, never)).rejects.toMatchObject({
    code: 'MR_CLIENT_BAD_RESPONSE',
  })
})

test('opening a connection stops when the signal aborts', async () => {
  const port = await serve(() => undefined)
  const stop = new AbortController()
  const opening = Connection.open({ host: '127.0.0.1', port }, OPTIONS, stop.signal)
  stop.abort(new Error('enough'))
  await expect(opening).rejects.toThrow('enough')
})

test('after a disconnect, pending and later requests fail at once', async () => {
  const { broker, connection } = await simulated()
  broker.options = { ...broker.options, onRequest: () => true }
  let closed = 0
  connection.onClose = () => closed++
  const version = connection.version(Metadata)
  const results = await Promise.allSettled([1, 2].map(() => connection.request(Metadata, version, { topics: [] })))
  expect(results.map(r => r.status === 'rejected' && r.reason.code)).toEqual([
    'MR_CLIENT_DISCONNECTED',
    'MR_CLIENT_DISCONNECTED',
  ])
  expect(closed).toBe(1)
  expect(connection.closed).toBe(true)
  await expect(connection.request(Metadata, version, {})).rejects.toMatchObject({ code: 'MR_CLIENT_DISCONNECTED' })
})

test('the timeout of one request fails all pending requests, because responses arrive in order', async () => {
  const { broker, connection } = await simulated()
  const version = connection.version(Metadata)
  broker.options = { ...broker.options, mute: true }
  const [slow, behind] = [
    connection.request(Metadata, version, {}, { timeoutMs: 30 }),
    connection.request(Metadata, version, {}),
  ]
  await expect(slow).rejects.toMatchObject({ code: 'MR_CLIENT_REQUEST_TIMEOUT' })
  await expect(behind).rejects.toMatchObject({ code: 'MR_CLIENT_REQUEST_TIMEOUT' })
})

test('an aborted request is rejected at once, and other requests still get their own responses', async () => {
  const { connection } = await simulated()
  const version = connection.version(Metadata)
  const stop = new AbortController()
  const first = connection.request(Metadata, version, { topics: [{ name: 'a' }] }, { signal: stop.signal })
  const second = connection.request(Metadata, version, { topics: [{ name: 'b' }] })
  stop.abort(new Error('enough'))
  await expect(first).rejects.toThrow('enough')
  expect((await second).topics[0]!.name).toBe('b')
})

test('a request with invalid input fails, and other requests succeed', async () => {
  const { connection } = await simulated()
  const version = connection.version(Metadata)
  const bad = connection.request(Metadata, version, { topics: [{ name: 'x'.repeat(40_000) }] })
  const good = connection.request(Metadata, version, { topics: [{ name: 't' }] })
  await expect(bad).rejects.toMatchObject({ code: 'MR_PROTOCOL_UNREPRESENTABLE' })
  expect((await good).topics[0]!.errorCode).toBe(0)
})

test('version() returns the newest common version up to the cap, and throws if there is no common version', async () => {
  const { connection } = await simulated()
  expect(connection.version(Metadata)).toBe(Metadata.max)
  expect(connection.version(Metadata, 5)).toBe(5)
  expect(() => connection.version({ ...Metadata, min: 99, max: 99 })).toThrow(/MR_CLIENT_UNSUPPORTED_VERSION/)
})

test('send() times out if the broker does not read the request', async () => {
  const broker = await SimBroker.start()
  cleanups.push(() => broker.stop())
  const address = { host: '127.0.0.1', port: broker.port }
  const connection = await Connection.open(address, { ...OPTIONS, requestTimeoutMs: 2000 }, never)
  broker.pause()
  const input = {
    acks: 0,
    topicData: [{ name: 't', partitionData: [{ index: 0, records: Buffer.alloc(64 << 20) }] }],
  }
  await expect(connection.send(Produce, 9, input)).rejects.toMatchObject({ code: 'MR_CLIENT_REQUEST_TIMEOUT' })
  expect(connection.closed).toBe(true)
})
