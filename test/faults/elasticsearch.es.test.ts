/**
 * Tests an Elasticsearch that is unreachable, slow, or rejects requests. The status shows the
 * problem, and another pipeline is not affected.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { eventually } from '../platform.ts'
import { type Fixture, fixture, OtherPipeline, recovered, statusSays } from './harness.ts'

const url = inject('elasticsearchUrl')
const run = Date.now().toString(36)
let f: Fixture
let otherPipeline: OtherPipeline

/**
 * A proxy for Elasticsearch that can be closed, can delay requests, and can respond in place of
 * Elasticsearch.
 */
class SwitchableProxy {
  #server: Server | null = null
  port = 0
  delayMs = 0
  /** The response to every bulk request. Null: the proxy forwards the requests to Elasticsearch. */
  instead: { readonly status: number; readonly type: string; readonly body: string } | null = null

  async open(): Promise<void> {
    this.#server = createServer((req, res) => {
      const chunks: Buffer[] = []
      req.on('data', chunk => chunks.push(chunk))
      req.on('end', () => {
        const pass = async () => {
          const { instead } = this
          if (instead && req.url!.startsWith('/_bulk'))
            return void res.writeHead(instead.status, { 'content-type': instead.type }).end(instead.body)
          const body = Buffer.concat(chunks)
          const json = 'application/json'
          const headers = { 'content-type': req.headers['content-type'] ?? json, accept: req.headers.accept ?? json }
          const answer = await fetch(`${url}${req.url}`, {
            method: req.method!,
            headers,
            ...(body.length > 0 && { body }),
          })
          const type = answer.headers.get('content-type') ?? 'application/json'
          const product = answer.headers.get('x-elastic-product') ?? 'Elasticsearch'
          res.writeHead(answer.status, { 'content-type': type, 'x-elastic-product': product })
          res.end(Buffer.from(await answer.arrayBuffer()))
        }
        setTimeout(() => void pass().catch(() => res.destroy()), this.delayMs)
      })
    })
    await new Promise<void>(done => this.#server!.listen(this.port, '127.0.0.1', done))
    this.port = (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    const server = this.#server
    this.#server = null
    if (!server) return
    server.closeAllConnections()
    await new Promise(done => server.close(done))
  }
}

const proxy = new SwitchableProxy()
const sinkConfig = (topic: string, more: Record<string, string> = {}) => ({
  'connector.class': 'io.confluent.connect.elasticsearch.ElasticsearchSinkConnector',
  topics: topic,
  'connection.url': `http://127.0.0.1:${proxy.port}`,
  'key.ignore': 'true',
  'schema.ignore': 'true',
  'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'value.converter.schemas.enable': 'false',
  'retry.backoff.ms': '50',
  'max.retries': '3',
  'consumer.override.session.timeout.ms': '6000',
  'consumer.override.auto.offset.reset': 'earliest',
  ...more,
})

async function source(topic: string): Promise<(line: string) => void> {
  const file = join(f.dir, `${topic}.in`)
  writeFileSync(file, '')
  const config = {
    'connector.class': 'FileStreamSource',
    file,
    topic,
    'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
  }
  await f.platform.create(`${topic}-source`, config)
  return line => appendFileSync(file, `${line}\n`)
}

async function documents(index: string): Promise<number[]> {
  await fetch(`${url}/${index}/_refresh`, { method: 'POST' })
  const answer = await fetch(`${url}/${index}/_search?size=1000`)
  const body = (await answer.json()) as { hits?: { hits: { _source: { n: number } }[] } }
  return (body.hits?.hits ?? []).map(hit => hit._source.n).sort((a, b) => a - b)
}

async function holds(index: string, wanted: readonly number[]): Promise<void> {
  let found: number[] = []
  await eventually(
    async () => {
      found = await documents(index)
      return found.length >= wanted.length
    },
    () => `${index} has ${found}, not ${wanted}: ${f.platform.output.slice(-2000)}`,
    30_000,
  )
  expect(found).toEqual(wanted)
}

/** Waits until the source has committed this position in its file. */
async function committed(topic: string, position: number): Promise<void> {
  let body: unknown
  await eventually(
    async () => {
      ;({ body } = await f.platform.rest('GET', `/connectors/${topic}-source/offsets`))
      return (body as { offsets: { offset: { position: number } }[] }).offsets[0]?.offset.position === position
    },
    () => `the source has committed ${JSON.stringify(body)}, not ${position}`,
    90_000,
  )
}

const numbers = (n: number) => Array.from({ length: n }, (_, i) => i)

describe.skipIf(!url)('faults of Elasticsearch', () => {
  beforeAll(async () => {
    f = await fixture()
    await proxy.open()
    await f.platform.start()
    otherPipeline = await new OtherPipeline(f.dir, f.platform).start()
  })
  afterAll(async () => {
    await f.close()
    await proxy.close()
  })

  test('an unreachable Elasticsearch gets every document once when it can be reached again, also after a restart of the process', async () => {
    const topic = `away-${run}`
    const write = await source(topic)
    await f.platform.create(`${topic}-sink`, sinkConfig(topic))
    write('{"n":0}')
    await holds(topic, [0])
    await proxy.close()
    write('{"n":1}')
    const said = await statusSays(f.platform, `${topic}-sink`, 'RUNNING', /127\.0\.0\.1/)
    expect(said).toMatch(/MR_ES_/)
    await otherPipeline.moves()
    // The process is killed and restarted meanwhile. Lines that the source has not committed would
    // be read and indexed again.
    await committed(topic, '{"n":0}\n{"n":1}\n'.length)
    await f.platform.kill()
    await f.platform.start()
    write('{"n":2}')
    await statusSays(f.platform, `${topic}-sink`, 'RUNNING', /MR_ES_/)
    await otherPipeline.moves()
    await proxy.open()
    await holds(topic, [0, 1, 2])
    await recovered(f.platform, `${topic}-sink`)
  })

  test('a very slow Elasticsearch gets every document, and other pipelines do not wait for it', async () => {
    const topic = `slow-${run}`
    const write = await source(topic)
    for (const n of numbers(50)) write(JSON.stringify({ n }))
    await f.platform.create(`${topic}-sink`, sinkConfig(topic, { 'batch.size': '10', 'read.timeout.ms': '1000' }))
    proxy.delayMs = 3000
    await statusSays(f.platform, `${topic}-sink`, 'RUNNING', /MR_ES_/)
    await otherPipeline.moves()
    proxy.delayMs = 0
    await holds(topic, numbers(50))
  })

  /**
   * Creates a sink that skips malformed documents. Returns a function that adds lines. Each of
   * these lines is a valid document.
   */
  async function tolerantSink(topic: string): Promise<(from: number, to: number) => void> {
    const write = await source(topic)
    write('{"n":0}')
    await f.platform.create(`${topic}-sink`, {
      ...sinkConfig(topic),
      'behavior.on.malformed.documents': 'ignore',
      'errors.tolerance': 'all',
    })
    await holds(topic, [0])
    return (from, to) => {
      for (let n = from; n <= to; n++) write(JSON.stringify({ n }))
    }
  }

  test('if an index rejects everything, the status says why, and everything is written later, even after a kill', async () => {
    const topic = `closed-${run}`
    const write = await tolerantSink(topic)
    await fetch(`${url}/${topic}/_close`, { method: 'POST' })
    write(1, 5)
    const said = await statusSays(f.platform, `${topic}-sink`, 'RUNNING', /index_closed_exception/)
    expect(said).toContain(`index ${topic} of topic ${topic}`)
    expect(said).toMatch(/Open the index \(POST \/closed-\w+\/_open\)/)
    await otherPipeline.moves()
    await committed(topic, '{"n":0}\n'.length * 6)
    await f.platform.kill()
    await f.platform.start()
    await statusSays(f.platform, `${topic}-sink`, 'RUNNING', /index_closed_exception/)
    await fetch(`${url}/${topic}/_open`, { method: 'POST' })
    await holds(topic, numbers(6))
    await recovered(f.platform, `${topic}-sink`)
  })

  test('if a gateway returns an error page, everything is written once the gateway works again', async () => {
    const topic = `page-${run}`
    const write = await tolerantSink(topic)
    proxy.instead = { status: 400, type: 'text/html', body: '<html><h1>Bad Request</h1></html>' }
    write(1, 5)
    const said = await statusSays(f.platform, `${topic}-sink`, 'RUNNING', /not an Elasticsearch response/)
    expect(said).toContain(`index ${topic} of topic ${topic}`)
    await otherPipeline.moves()
    proxy.instead = null
    await holds(topic, numbers(6))
    await recovered(f.platform, `${topic}-sink`)
  })

  test('rejected credentials fail the task, which restarts automatically until they are accepted', async () => {
    const topic = `login-${run}`
    const write = await tolerantSink(topic)
    const error = { type: 'security_exception', reason: 'unable to authenticate' }
    proxy.instead = { status: 401, type: 'application/json', body: JSON.stringify({ error, status: 401 }) }
    write(1, 5)
    const said = await statusSays(f.platform, `${topic}-sink`, 'FAILED', /MR_ES_AUTH.*restarts automatically at/s)
    expect(said).toContain(`index ${topic} of topic ${topic}`)
    await otherPipeline.moves()
    proxy.instead = null
    await holds(topic, numbers(6))
    await recovered(f.platform, `${topic}-sink`)
  })

  test('a document that does not fit the mapping fails the task with an error that names the offset, or goes to the dead letter queue', async () => {
    const topic = `mapped-${run}`
    const write = await source(topic)
    await fetch(`${url}/${topic}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ mappings: { properties: { n: { type: 'integer' } } } }),
    })
    write('{"n":0}')
    write('{"n":"no number"}')
    write('{"n":1}')
    await f.platform.create(`${topic}-sink`, sinkConfig(topic))
    const said = await statusSays(f.platform, `${topic}-sink`, 'FAILED', /mapper|parse/)
    expect(said).toContain(topic)
    await otherPipeline.moves()
    const tolerant = sinkConfig(topic, {
      'behavior.on.malformed.documents': 'ignore',
      'errors.tolerance': 'all',
      'errors.deadletterqueue.topic.name': `dead-${run}`,
      'errors.deadletterqueue.topic.replication.factor': '1',
      'errors.deadletterqueue.context.headers.enable': 'true',
    })
    expect((await f.platform.rest('PUT', `/connectors/${topic}-sink/config`, tolerant)).status).toBe(200)
    await holds(topic, [0, 1])
    await recovered(f.platform, `${topic}-sink`)
    const out = join(f.dir, 'dead.out')
    await f.platform.create('dead-sink', {
      'connector.class': 'FileStreamSink',
      topics: `dead-${run}`,
      file: out,
      'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'consumer.override.auto.offset.reset': 'earliest',
    })
    await eventually(
      () => existsSync(out) && readFileSync(out, 'utf8') === '{"n":"no number"}\n',
      () => `the dead letter queue has ${existsSync(out) ? readFileSync(out, 'utf8') : 'nothing'}`,
      20_000,
    )
  })
})
