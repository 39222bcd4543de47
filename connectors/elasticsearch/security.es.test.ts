/**
 * Tests with a node that has TLS, users and low limits. They cover credentials, certificates,
 * compression, a proxy, large documents and missing privileges.
 */

import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { parseSettings, validateConnector } from 'millrace/testing'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { type ElasticsearchService, startElasticsearch } from '../../test/services/elasticsearch.ts'
import { ElasticsearchClient } from './client.ts'
import { config } from './config.ts'
import { ElasticsearchSinkConnector } from './connector.ts'
import { ElasticsearchSink, type ElasticsearchSinkOptions, uniqueName } from './test-support/elasticsearch-sink.ts'

const plain = inject('elasticsearchUrl')
const LOGIN = { 'connection.username': 'admin', 'connection.password': 'adminpw' }
let secured: ElasticsearchService
let dir: string
let administrator: ElasticsearchClient
let trusting: Record<string, string>
const sinks: ElasticsearchSink[] = []

/** Returns the certificate of a server, as PEM. */
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
  const values = await validateConnector(new ElasticsearchSinkConnector(), props)
  return Object.fromEntries(values.filter(v => v.errors.length > 0).map(v => [v.name, v.errors.join()]))
}

/** Writes a document and reads it back with the same settings. */
async function roundTrip(props: Record<string, string>): Promise<unknown> {
  const p = new ElasticsearchSink(uniqueName('secure'), { 'read.timeout.ms': '30000', ...props })
  sinks.push(p)
  await p.start()
  await p.write([p.record('a', { text: 'x'.repeat(2000) })])
  const client = new ElasticsearchClient(parseSettings(config, props))
  try {
    const { body } = await client.send({ method: 'GET', path: `/${p.topic}/_doc/a` }, AbortSignal.timeout(20_000))
    return (body as { _source: unknown })._source
  } finally {
    await client.close()
  }
}

const DOCUMENT = { text: 'x'.repeat(2000) }

describe.skipIf(!plain)('Elasticsearch with security', () => {
  beforeAll(async () => {
    secured = await startElasticsearch({
      args: ['--tls', '--set', 'indexing_pressure.memory.limit: 1mb', '--set', 'http.max_content_length: 3mb'],
    })
    dir = mkdtempSync(join(tmpdir(), 'millrace-es-ca-'))
    const ca = join(dir, 'ca.pem')
    writeFileSync(ca, await certificateOf(secured.url))
    trusting = {
      'connection.url': secured.url,
      'elastic.security.protocol': 'SSL',
      'elastic.https.ssl.truststore.location': ca,
    }
    administrator = new ElasticsearchClient(parseSettings(config, { ...trusting, ...LOGIN }))
  })
  afterEach(async () => {
    for (const sink of sinks.splice(0)) await sink.stop()
  })
  afterAll(async () => {
    await administrator?.close()
    await secured?.stop()
    if (dir) rmSync(dir, { recursive: true, force: true })
  })

  test('a user and password, a certificate in PEM, and compressed requests are accepted', async () => {
    expect(await roundTrip({ ...trusting, ...LOGIN })).toEqual(DOCUMENT)
    expect(await roundTrip({ ...trusting, ...LOGIN, 'connection.compression': 'true' })).toEqual(DOCUMENT)
  })

  test('an API key is accepted', async () => {
    const made = await admin('POST', '/_security/api_key', { name: uniqueName('key') })
    expect(made.status).toBe(200)
    const { encoded } = made.body as { encoded: string }
    expect(await roundTrip({ ...trusting, 'connection.api.key': encoded })).toEqual(DOCUMENT)
  })

  test('validation rejects wrong credentials and an unknown certificate, and the errors name their keys', async () => {
    const wrong = await validated({ ...trusting, ...LOGIN, 'connection.password': 'wrong' })
    expect(Object.keys(wrong)).toEqual(['connection.username', 'connection.password'])
    const { 'elastic.https.ssl.truststore.location': _, ...distrusting } = trusting
    expect(await validated({ ...distrusting, ...LOGIN })).toEqual({
      'connection.url': expect.stringMatching(/self-signed certificate/),
    })
  })

  const admin = (method: 'PUT' | 'POST' | 'GET', path: string, body?: unknown) => {
    const text = body === undefined ? {} : { body: JSON.stringify(body) }
    return administrator.send({ method, path, ...text }, AbortSignal.timeout(20_000))
  }

  async function found(index: string): Promise<string[]> {
    await admin('POST', `/${index}/_refresh`)
    const { body } = await admin('GET', `/${index}/_search?size=100&filter_path=hits.hits._id`)
    return ((body as { hits?: { hits: { _id: string }[] } }).hits?.hits ?? []).map(hit => hit._id).sort()
  }

  async function play(
    props: Record<string, string>,
    { topic = uniqueName('secure'), ...options }: ElasticsearchSinkOptions & { topic?: string } = {},
  ): Promise<ElasticsearchSink> {
    const config = {
      'retry.backoff.ms': '10',
      'max.retries': '1',
      'read.timeout.ms': '30000',
      'behavior.on.malformed.documents': 'ignore',
      ...trusting,
      ...props,
    }
    const sink = new ElasticsearchSink(topic, config, { reporter: true, ...options })
    sinks.push(sink)
    return sink.start()
  }

  test('a bearer token is accepted', async () => {
    const made = await admin('POST', '/_security/service/elastic/fleet-server/credential/token')
    expect(made.status).toBe(200)
    const { value } = (made.body as { token: { value: string } }).token
    expect(await validated({ ...trusting, 'connection.bearer.token': value })).toEqual({})
    expect(Object.keys(await validated({ ...trusting, 'connection.bearer.token': 'wrong' }))).toEqual([
      'connection.bearer.token',
    ])
  })

  test('only the certificate with the configured fingerprint is trusted', async () => {
    const { 'elastic.https.ssl.truststore.location': ca, ...rest } = trusting
    const { fingerprint256 } = new X509Certificate(readFileSync(ca!))
    const pinned = { ...rest, ...LOGIN, 'elastic.https.ssl.ca.fingerprint': fingerprint256 }
    expect(await roundTrip(pinned)).toEqual(DOCUMENT)
    const other = { ...pinned, 'elastic.https.ssl.ca.fingerprint': 'ab'.repeat(32) }
    expect(await validated(other)).toEqual({ 'connection.url': expect.stringMatching(/MR_ES_FINGERPRINT/) })
  })

  test('rejected credentials fail the task so that it restarts; the error names the index and the topic', async () => {
    // The connector is not validated, as after a restart of the worker. The interval is longer than
    // the test, so only a requested commit happens.
    const options = { validate: false, offsetFlushIntervalMs: 600_000 }
    const p = await play({ ...LOGIN, 'connection.password': 'wrong' }, options)
    const failure = {
      code: 'MR_ES_AUTH',
      retriable: true,
      message: expect.stringContaining(`index ${p.topic} of topic ${p.topic} (401)`),
    }
    p.send(p.record('a', { n: 1 }))
    expect(await p.failed()).toMatchObject(failure)
    expect(p.offset()).toBe(0)
  })

  test('a changed password or a forbidden index fails the running task, and no record is skipped', async () => {
    const user = uniqueName('user')
    const [mine, other] = [uniqueName('mine'), uniqueName('other')]
    const password = (text: string) => admin('PUT', `/_security/user/${user}`, { password: text, roles: [user] })
    await admin('PUT', `/_security/role/${user}`, { indices: [{ names: [mine], privileges: ['all'] }] })
    await password('first-password')
    const login = { 'connection.username': user, 'connection.password': 'first-password' }
    expect(await validated({ ...trusting, ...login })).toEqual({})
    const p = await play(login, { topic: mine })
    await p.write([p.record('a', { n: 1 })])
    await password('second-password')
    p.send(p.record('b', { n: 2 }))
    const refused = { code: 'MR_ES_AUTH', retriable: true, message: expect.stringContaining('(401)') }
    expect(await p.failed()).toMatchObject(refused)
    expect(p.offset()).toBe(1)
    expect(p.reported).toEqual([])

    await admin('PUT', `/${other}`)
    const reading = { names: [other], privileges: ['read', 'view_index_metadata'] }
    await admin('PUT', `/_security/role/${user}`, { indices: [reading] })
    const reader = await play({ ...login, 'connection.password': 'second-password' }, { topic: other })
    reader.send(reader.record('a', { n: 1 }))
    expect(await reader.failed()).toMatchObject({
      code: 'MR_ES_AUTH',
      message: expect.stringMatching(new RegExp(`index ${other} of topic ${other} \\(403\\): security_exception`)),
    })
    expect(reader.reported).toEqual([])
  })

  test('a document that is too large for any node is reported with the limit, and the others are written', async () => {
    const p = await play(LOGIN)
    const text = (bytes: number) => ({ text: 'x '.repeat(bytes / 2) })
    await p.write([
      p.record('a', { n: 1 }),
      // The first document exceeds the indexing pressure limit of the coordinating node, the second
      // exceeds that of the writing node, and the third exceeds the size limit of a request.
      p.record('coordinating', text(1_200_000)),
      p.record('primary', text(700_000)),
      p.record('request', text(3_500_000)),
      // This document fits on the coordinating node and on the writing node, but exceeds the limit
      // if one node has both roles. The response then only says that the node is busy.
      p.record('both', text(230_000)),
      p.record('b', { n: 2 }),
    ])
    // In version 8, the writing node counts the bytes of a document once, not four times.
    const { body } = await admin('GET', '/')
    const fits = (body as { version: { number: string } }).version.number.startsWith('8.') ? ['both', 'primary'] : []
    const tooLarge = ['both', 'coordinating', 'primary', 'request'].filter(key => !fits.includes(key))
    expect(await found(p.topic)).toEqual(['a', 'b', ...fits])
    expect(p.reported.map(r => r.key).sort()).toEqual(tooLarge)
    const words = Object.fromEntries(p.reported.map(r => [String(r.key), r.message]))
    expect(words['coordinating']).toMatch(
      /is too large.*12\d{5} bytes \(429\).*max_coordinating\w*_bytes=1048576.*MR_ES_TOO_LARGE/,
    )
    if (fits.length === 0) {
      expect(words['primary']).toMatch(/\(429\).*max_primary_bytes=1048576.*MR_ES_TOO_LARGE/)
      expect(words['both']).toMatch(
        /\(429\).*primary_operation_bytes=9\d{5}, max_primary_bytes=1048576.*MR_ES_TOO_LARGE/,
      )
    }
    expect(words['request']).toMatch(/\(413\).*http.max_content_length.*MR_ES_TOO_LARGE/)
    expect(Object.values(words).filter(w => /cannot be reached|connection.url/.test(w))).toEqual([])
  })

  test('documents that a node accepts one by one but not together are all written', async () => {
    const p = await play(LOGIN)
    const records = Array.from({ length: 20 }, (_, n) => p.record(`k${n}`, { text: 'x '.repeat(40_000) }))
    await p.write(records)
    expect(await found(p.topic)).toEqual(records.map(r => String(r.key)).sort())
    expect(p.reported).toEqual([])
  })

  test('no record is skipped when a deleted index cannot be recreated because of a cluster setting', async () => {
    const set = (name: string, value: unknown) => admin('PUT', '/_cluster/settings', { persistent: { [name]: value } })
    const topic = uniqueName('limit')
    const p = await play(LOGIN, { topic })
    await p.write([p.record('a', { n: 1 })])
    await administrator.send({ method: 'DELETE', path: `/${topic}` }, AbortSignal.timeout(20_000))
    await set('cluster.max_shards_per_node', 1)
    await p.put([p.record('b', { n: 2 })])
    expect(await p.refusal()).toMatch(
      new RegExp(`index ${topic} of topic ${topic} \\(400\\): validation_exception.*raise cluster.max_shards_per_node`),
    )
    expect(await p.nextCommit()).toBe(1)
    await set('cluster.max_shards_per_node', null)
    await p.committed()
    expect(await found(topic)).toEqual(['b'])
    expect(p.reported).toEqual([])

    const external = { 'external.resource.usage': 'INDEX', 'topic.to.external.resource.mapping': `${topic}:${topic}` }
    const q = await play({ ...LOGIN, ...external }, { topic })
    await q.write([q.record('a', { n: 1 })])
    await set('action.auto_create_index', 'false')
    await administrator.send({ method: 'DELETE', path: `/${topic}` }, AbortSignal.timeout(20_000))
    await q.put([q.record('c', { n: 3 })])
    expect(await q.refusal()).toMatch(/\(404\).*Create the index.*MR_ES_INDEX/)
    expect(await q.nextCommit()).toBe(1)
    await set('action.auto_create_index', null)
    await admin('PUT', `/${topic}`)
    await q.committed()
    expect(await found(topic)).toEqual(['c'])
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
      for (const sink of sinks.splice(0)) await sink.stop()
      for (const socket of sockets) socket.destroy()
      proxy.closeAllConnections()
      await new Promise(done => proxy.close(done))
    })

    test('plain HTTP requests are forwarded, not tunnelled', async () => {
      expect(await roundTrip({ 'connection.url': plain!, ...through })).toEqual(DOCUMENT)
      expect(seen).toContain(`POST ${new URL(plain!).host}`)
      expect(seen.filter(s => s.startsWith('CONNECT'))).toEqual([])
    })

    test('TLS connections go through a tunnel', async () => {
      expect(await roundTrip({ ...trusting, ...LOGIN, ...through })).toEqual(DOCUMENT)
      expect(seen).toContain(`CONNECT ${new URL(secured.url).host}`)
    })
  })
})
