import { readFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { request as tlsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { createLogger } from '../../common/log.ts'
import { parseWorkerConfig } from '../config/worker-config.ts'
import { parseHeaderRules } from './headers.ts'
import { RestServer, type WorkerHealth } from './server.ts'

let server: RestServer | null = null
afterEach(async () => {
  await server?.close()
  server = null
})

const file = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url))

async function start(props: Record<string, string>, health: WorkerHealth): Promise<RestServer> {
  const config = parseWorkerConfig(
    {
      'key.converter': 'JsonConverter',
      'value.converter': 'JsonConverter',
      'offset.storage.file.filename': '/tmp/offsets',
      listeners: 'http://127.0.0.1:0',
      ...props,
    },
    'standalone',
    createLogger('test.rest'),
  )
  server = new RestServer({ config, health: () => health, version: '1', commit: 'c' })
  await server.start()
  return server
}

const starting: WorkerHealth = { phase: 'starting', reason: 'no broker can be reached' }

test('while the worker is starting, /health and requests answer 503 with the reason', async () => {
  const { url } = await start({}, starting)
  const health = await fetch(`${url}/health`)
  expect([health.status, await health.json()]).toEqual([
    503,
    { status: 'starting', message: 'Worker is still starting up: no broker can be reached' },
  ])
  const connectors = await fetch(`${url}/connectors`)
  expect([connectors.status, await connectors.json()]).toEqual([
    503,
    { error_code: 503, message: expect.stringContaining('no broker can be reached') },
  ])
  expect((await fetch(url)).status).toBe(200)
})

test('/health answers 500 after the worker has failed', async () => {
  const { url } = await start({}, { phase: 'failed', reason: 'the config topic was deleted' })
  expect((await fetch(`${url}/health`)).status).toBe(500)
})

test('if an address is in use, the error names the address', async () => {
  const other = createServer()
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as AddressInfo
  await expect(start({ listeners: `http://127.0.0.1:${port}` }, starting)).rejects.toMatchObject({
    code: 'MR_WORKER_LISTEN',
    message: expect.stringContaining(`http://127.0.0.1:${port}`),
  })
  await new Promise(resolve => other.close(resolve))
})

test("the worker id is the advertised address, or the listener's address by default", async () => {
  const rest = await start({}, starting)
  expect(rest.workerId).toBe(`127.0.0.1:${rest.port}`)
  await rest.close()
  const named = await start({ 'rest.advertised.host.name': 'w1.example', 'rest.advertised.port': '80' }, starting)
  expect(named.workerId).toBe('w1.example:80')
})

test.each([
  ['PEM', 'localhost.pem', {}],
  ['PKCS12', 'localhost.p12', { 'listeners.https.ssl.keystore.password': 'changeit' }],
])('an https listener accepts a keystore of type %s', async (type, store, more) => {
  const rest = await start(
    {
      listeners: 'https://127.0.0.1:0',
      'listeners.https.ssl.keystore.type': type,
      'listeners.https.ssl.keystore.location': file(store),
      ...more,
    },
    starting,
  )
  expect(rest.url).toMatch(/^https:/)
  const status = await new Promise<number | undefined>((resolve, reject) => {
    tlsRequest(`${rest.url}/health`, { ca: readFileSync(file('localhost.pem')), agent: false }, answer => {
      answer.resume()
      resolve(answer.statusCode)
    })
      .once('error', reject)
      .end()
  })
  expect(status).toBe(503)
})

test('if a keystore is missing or cannot be read, the error names its key', async () => {
  const jks = { listeners: 'https://127.0.0.1:0', 'ssl.keystore.location': '/x.jks' }
  await expect(start(jks, starting)).rejects.toMatchObject({ errors: [{ key: 'ssl.keystore.location' }] })
  const none = { listeners: 'https://127.0.0.1:0' }
  await expect(start(none, starting)).rejects.toMatchObject({ errors: [{ key: 'ssl.keystore.location' }] })
})

test('admin endpoints can have separate listeners, or can be disabled', async () => {
  const off = await start({ 'admin.listeners': '' }, starting)
  expect((await fetch(`${off.url}/admin/loggers`)).status).toBe(404)
  await off.close()
  const probe = createServer()
  await new Promise<void>(resolve => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise(resolve => probe.close(resolve))
  const own = await start({ 'admin.listeners': `http://127.0.0.1:${port}` }, starting)
  expect((await fetch(`${own.url}/admin/loggers`)).status).toBe(404)
  expect((await fetch(`http://127.0.0.1:${port}/admin/loggers`)).status).toBe(503)
  expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toContain('process_cpu_seconds_total')
  expect((await fetch(`http://127.0.0.1:${port}/connectors`)).status).toBe(404)
})

test('close completes even if a request is still open', async () => {
  const rest = await start({}, { phase: 'ready', clusterId: 'c', herder: {} as never })
  const open = request({
    host: '127.0.0.1',
    port: rest.port,
    method: 'POST',
    path: '/connectors',
    headers: { 'content-type': 'application/json' },
  })
  open.on('error', () => {})
  await new Promise<void>(resolve => open.write('{', () => resolve()))
  await rest.close()
  open.destroy()
})

test('header rules are parsed as Kafka documents them, and an error names an invalid rule', () => {
  expect(parseHeaderRules('add Cache-Control: no-cache,"set X-A: a, b" , setDate Expires: 0')).toEqual([
    { action: 'add', name: 'Cache-Control', value: 'no-cache' },
    { action: 'set', name: 'X-A', value: 'a, b' },
    { action: 'setDate', name: 'Expires', value: '0' },
  ])
  expect(() => parseHeaderRules('put X-A: b')).toThrow(/'put X-A: b' does not look like/)
})
