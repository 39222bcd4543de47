/** Against a node with TLS and users: logins, certificates, compression, a proxy on the way. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { validateConfig } from '../../core/connect/index.ts'
import { type ElasticsearchService, startElasticsearch } from '../../test/services/elasticsearch.ts'
import { config } from './config.ts'
import { ElasticsearchSinkConnector } from './connector.ts'
import { ElasticsearchHttp } from './http.ts'
import { readSettings } from './settings.ts'
import { Played, uniqueName } from './test-support/play.ts'

const plain = inject('elasticsearchUrl')
const LOGIN = { 'connection.username': 'admin', 'connection.password': 'adminpw' }
let secured: ElasticsearchService
let dir: string
let trusting: Record<string, string>
const played: Played[] = []

/** The certificate that a server shows, as PEM. */
function certificateOf(url: string): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      const lines = socket
        .getPeerCertificate()
        .raw.toString('base64')
        .match(/.{1,64}/g)!
      socket.destroy()
      resolve(`-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`)
    })
    socket.once('error', reject)
  })
}

async function validated(props: Record<string, string>): Promise<Record<string, string>> {
  const values = await new ElasticsearchSinkConnector().validate(
    props,
    validateConfig(config, props),
    AbortSignal.timeout(20_000),
  )
  return Object.fromEntries(values.filter(v => v.errors.length > 0).map(v => [v.name, v.errors.join()]))
}

/** Writes a document and reads it back with the same settings. */
async function roundTrip(props: Record<string, string>): Promise<unknown> {
  const p = new Played(uniqueName('secure'))
  played.push(p)
  p.start({ 'schema.ignore': 'true', ...props })
  await p.write([p.record('a', { text: 'x'.repeat(2000) })])
  const http = new ElasticsearchHttp(readSettings(props).raw)
  try {
    const { body } = await http.send('GET', `/${p.topic}/_doc/a`, null, 'application/json', AbortSignal.timeout(20_000))
    return (body as { _source: unknown })._source
  } finally {
    await http.close()
  }
}

const DOCUMENT = { text: 'x'.repeat(2000) }

describe.skipIf(!plain)('Elasticsearch with security', () => {
  beforeAll(async () => {
    secured = await startElasticsearch({ args: ['--tls'] })
    dir = mkdtempSync(join(tmpdir(), 'millrace-es-ca-'))
    const ca = join(dir, 'ca.pem')
    writeFileSync(ca, await certificateOf(secured.url))
    trusting = {
      'connection.url': secured.url,
      'elastic.security.protocol': 'SSL',
      'elastic.https.ssl.truststore.location': ca,
    }
  })
  afterEach(async () => {
    for (const p of played.splice(0)) await p.task.stop()
  })
  afterAll(async () => {
    await secured?.stop()
    if (dir) rmSync(dir, { recursive: true, force: true })
  })

  test('a user and a password, a certificate in PEM, and compressed requests are taken', async () => {
    expect(await roundTrip({ ...trusting, ...LOGIN })).toEqual(DOCUMENT)
    expect(await roundTrip({ ...trusting, ...LOGIN, 'connection.compression': 'true' })).toEqual(DOCUMENT)
  })

  test('an API key is taken', async () => {
    const http = new ElasticsearchHttp(readSettings({ ...trusting, ...LOGIN }).raw)
    const body = JSON.stringify({ name: uniqueName('key') })
    const made = await http.send('POST', '/_security/api_key', body, 'application/json', AbortSignal.timeout(20_000))
    await http.close()
    expect(made.status).toBe(200)
    const { encoded } = made.body as { encoded: string }
    expect(await roundTrip({ ...trusting, 'connection.api.key': encoded })).toEqual(DOCUMENT)
  })

  test('a wrong login and an unknown certificate are refused before anything starts, at their keys', async () => {
    const wrong = await validated({ ...trusting, ...LOGIN, 'connection.password': 'wrong' })
    expect(Object.keys(wrong)).toEqual(['connection.username', 'connection.password'])
    const { 'elastic.https.ssl.truststore.location': _, ...distrusting } = trusting
    expect(await validated({ ...distrusting, ...LOGIN })).toEqual({
      'connection.url': expect.stringMatching(/self-signed certificate/),
    })
  })

  test('a login that is taken away fails the task, which names the index', async () => {
    const p = new Played(uniqueName('secure'))
    played.push(p)
    p.start({ 'schema.ignore': 'true', ...trusting, ...LOGIN, 'connection.password': 'wrong' })
    await expect(p.task.put([p.record('a', { n: 1 })])).rejects.toMatchObject({
      code: 'MR_ES_AUTH',
      retriable: false,
      message: expect.stringContaining(p.topic),
    })
  })

  describe('behind a proxy', () => {
    const seen: string[] = []
    const sockets = new Set<Socket>()
    let proxy: Server
    let through: Record<string, string>

    beforeAll(async () => {
      const isKnown = (login: string | undefined) => login === `Basic ${Buffer.from('me:secret').toString('base64')}`
      proxy = createServer((req, res) => {
        if (!isKnown(req.headers['proxy-authorization'])) return void res.writeHead(407).end()
        seen.push(`${req.method} ${new URL(req.url!).host}`)
        const { 'proxy-authorization': _, ...headers } = req.headers
        req.pipe(
          request(req.url!, { method: req.method!, headers }, answer => {
            res.writeHead(answer.statusCode!, answer.headers)
            answer.pipe(res)
          }),
        )
      })
      proxy.on('connect', (req, client: Socket) => {
        if (!isKnown(req.headers['proxy-authorization'])) return void client.end('HTTP/1.1 407 No\r\n\r\n')
        seen.push(`CONNECT ${req.url}`)
        const [host, port] = req.url!.split(':')
        const server = connect(Number(port), host, () => client.write('HTTP/1.1 200 OK\r\n\r\n'))
        for (const socket of [client, server]) {
          sockets.add(socket)
          socket.on('error', () => socket.destroy())
        }
        client.pipe(server).pipe(client)
      })
      await new Promise<void>(done => proxy.listen(0, '127.0.0.1', done))
      through = {
        'proxy.host': '127.0.0.1',
        'proxy.port': String((proxy.address() as AddressInfo).port),
        'proxy.username': 'me',
        'proxy.password': 'secret',
      }
    })
    afterAll(async () => {
      for (const p of played.splice(0)) await p.task.stop()
      for (const socket of sockets) socket.destroy()
      proxy.closeAllConnections()
      await new Promise(done => proxy.close(done))
    })

    test('plain HTTP is forwarded, not tunnelled', async () => {
      expect(await roundTrip({ 'connection.url': plain!, ...through })).toEqual(DOCUMENT)
      expect(seen).toContain(`POST ${new URL(plain!).host}`)
      expect(seen.filter(s => s.startsWith('CONNECT'))).toEqual([])
    })

    test('TLS goes through a tunnel', async () => {
      expect(await roundTrip({ ...trusting, ...LOGIN, ...through })).toEqual(DOCUMENT)
      expect(seen).toContain(`CONNECT ${new URL(secured.url).host}`)
    })
  })
})
