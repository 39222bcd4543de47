import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Decimal, decimal, primitive, struct, timestamp } from 'millrace/connect'
import { configured, validateConnector } from 'millrace/testing'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { JsonConverter } from '../../converters/json/json-converter.ts'
import { ElasticsearchSinkConnector } from './connector.ts'
import { ElasticsearchSink, uniqueName } from './test-support/elasticsearch-sink.ts'

const url = inject('elasticsearchUrl')
const sinks: ElasticsearchSink[] = []
const servers: Server[] = []

afterEach(async () => {
  for (const sink of sinks.splice(0)) await sink.stop()
  for (const s of servers.splice(0)) {
    s.closeAllConnections()
    await new Promise(done => s.close(done))
  }
})

async function play(
  props: Record<string, string> = {},
  { topic = uniqueName('topic'), reporter = false }: { reporter?: boolean; topic?: string } = {},
): Promise<ElasticsearchSink> {
  const config = { 'connection.url': url!, 'retry.backoff.ms': '20', 'read.timeout.ms': '30000', ...props }
  const sink = new ElasticsearchSink(topic, config, { reporter })
  sinks.push(sink)
  return sink.start()
}

async function ask(
  path: string,
  init?: RequestInit,
): Promise<{ status: number; body: Record<string, never> & { hits?: { hits: { _id: string; _source: unknown }[] } } }> {
  const answer = await fetch(`${url}${path}`, { headers: { 'content-type': 'application/json' }, ...init })
  return { status: answer.status, body: (await answer.json()) as Record<string, never> }
}

async function documents(index: string): Promise<Record<string, unknown>> {
  await ask(`/${index}/_refresh`, { method: 'POST' })
  const { body } = await ask(`/${index}/_search?size=10000`)
  return Object.fromEntries((body.hits?.hits ?? []).map(hit => [hit._id, hit._source]))
}

/** A proxy between the sink and Elasticsearch. A test can reject, delay or cut requests. */
async function proxy(
  decide: (path: string, n: number) => { status: number; body: string } | 'cut' | null,
): Promise<string> {
  let n = 0
  const server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', c => chunks.push(c))
    const answer = async () => {
      const instead = decide(req.url!, n++)
      if (instead === 'cut') return req.socket.destroy()
      if (instead) return res.writeHead(instead.status, { 'content-type': 'application/json' }).end(instead.body)
      const body = Buffer.concat(chunks)
      const headers = {
        'content-type': req.headers['content-type'] ?? 'application/json',
        accept: req.headers.accept ?? 'application/json',
      }
      const real = await fetch(`${url}${req.url}`, { method: req.method!, headers, ...(body.length > 0 && { body }) })
      res.writeHead(real.status, { 'content-type': 'application/json' }).end(Buffer.from(await real.arrayBuffer()))
    }
    req.on('end', () => {
      answer().catch((error: Error) => res.destroy(error))
    })
  })
  servers.push(server)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe.skipIf(!url)('the Elasticsearch sink', () => {
  test('the key of a record is the id of its document, and a later record with that key replaces the document', async () => {
    const p = await play()
    await p.write([p.record('a', { n: 1 }), p.record(2, { n: 2 }), p.record('a', { n: 3 })])
    expect(await documents(p.topic)).toEqual({ a: { n: 3 }, 2: { n: 2 } })
  })

  test('a replay changes nothing, and an older record does not overwrite a newer document', async () => {
    const p = await play({ 'behavior.on.null.values': 'delete' })
    const records = [p.record('a', { n: 1 }), p.record('b', { n: 1 }), p.record('a', { n: 2 }), p.record('b', null)]
    await p.write(records)
    const again = await play({ 'behavior.on.null.values': 'delete' }, { topic: p.topic })
    await again.write(records.slice(0, 2))
    expect(await documents(p.topic)).toEqual({ a: { n: 2 } })
  })

  test('a tombstone deletes its document, is ignored or fails the task, as configured', async () => {
    for (const [behaviour, left] of [
      ['delete', {}],
      ['ignore', { a: { n: 1 } }],
    ] as const) {
      const p = await play({ 'behavior.on.null.values': behaviour })
      await p.write([p.record('a', { n: 1 })])
      await p.write([p.record('a', null), p.record('never there', null)])
      expect(await documents(p.topic)).toEqual(left)
    }
    const p = await play()
    expect(await p.rejected([p.record('a', null)])).toMatch(/behavior.on.null.values/)
  })

  test('a document that the mapping rejects fails the task by default, and the error names topic, offset and reason', async () => {
    const p = await play()
    await p.write([p.record('a', { n: 1 })])
    p.send(p.record('b', { n: 'not a number' }), p.record('c', { n: 3 }))
    expect((await p.failed()).message).toMatch(new RegExp(`${p.topic}-0 at offset 1 .*failed to parse field \\[n\\]`))
  })

  test('with ignore or warn the rest of the batch is written, and the rejected document is reported', async () => {
    for (const behaviour of ['ignore', 'warn']) {
      const p = await play({ 'behavior.on.malformed.documents': behaviour }, { reporter: true })
      await p.write([p.record('a', { n: 1 })])
      await p.write([p.record('b', { n: 'not a number' }), p.record('c', { n: 3 })])
      expect(await documents(p.topic)).toEqual({ a: { n: 1 }, c: { n: 3 } })
      expect(p.reported.map(r => r.key)).toEqual(['b'])
      expect(p.warnings).toHaveLength(behaviour === 'warn' ? 1 : 0)
    }
  })

  test('only the documents that were rejected temporarily are sent again', async () => {
    let bulks = 0
    const through = await proxy(path => {
      if (!path.startsWith('/_bulk') || ++bulks > 2) return null
      return {
        status: 429,
        body: '{"error":{"type":"es_rejected_execution_exception","reason":"queue full"},"status":429}',
      }
    })
    const p = await play({ 'connection.url': through })
    await p.write([p.record('a', { n: 1 }), p.record('b', { n: 2 })])
    expect(await documents(p.topic)).toEqual({ a: { n: 1 }, b: { n: 2 } })
    // After the second rejection, the rest is sent in smaller parts.
    expect(bulks).toBe(4)
  })

  test('while Elasticsearch is unavailable, nothing is committed and put reports why; afterwards each record is written once', async () => {
    let away = false
    const through = await proxy(() => (away ? 'cut' : null))
    const p = await play({ 'connection.url': through, 'max.retries': '1' })
    await p.write([p.record('a', { n: 1 })])
    away = true
    await p.put([p.record('b', { n: 2 })])
    expect(await p.refusal()).toMatch(/MR_ES_UNREACHABLE/)
    expect(await p.nextCommit()).toBe(1)
    away = false
    await p.committed()
    expect(await documents(p.topic)).toEqual({ a: { n: 1 }, b: { n: 2 } })
  })

  test('an index that was deleted is recreated', async () => {
    const p = await play()
    await p.write([p.record('a', { n: 1 })])
    await ask(`/${p.topic}`, { method: 'DELETE' })
    await p.write([p.record('b', { n: 2 })])
    expect(await documents(p.topic)).toEqual({ b: { n: 2 } })
  })

  /**
   * Sends two documents. Checks that the sink neither skips nor reports them, and that they are
   * written after `heal` was called.
   */
  async function waits(
    p: ElasticsearchSink,
    says: RegExp,
    heal: (() => Promise<unknown>) | null,
    index: string = p.topic,
  ): Promise<void> {
    const before = await p.nextCommit()
    await p.put([p.record('x', { n: 100 }), p.record('y', { n: 101 })])
    const said = await p.refusal()
    expect(said).toMatch(says)
    expect(said).toContain(`index ${index} of topic ${p.topic}`)
    expect(said).toMatch(/\[MR_ES_INDEX\]/)
    expect(await p.nextCommit()).toBe(before)
    if (heal) {
      expect(await heal()).toMatchObject({ status: 200 })
      await p.committed()
      expect(await documents(index)).toMatchObject({ x: { n: 100 }, y: { n: 101 } })
    }
    expect(p.reported).toEqual([])
    expect(p.warnings.filter(w => w.includes('MALFORMED'))).toEqual([])
  }

  const put = (path: string, body: unknown) => ask(path, { method: 'PUT', body: JSON.stringify(body) })
  const post = (path: string, body?: unknown) =>
    ask(path, { method: 'POST', ...(body !== undefined && { body: JSON.stringify(body) }) })

  describe.each(['ignore', 'warn'])('with behavior %s', behaviour => {
    const tolerant = {
      'behavior.on.malformed.documents': behaviour,
      'max.retries': '1',
      'retry.backoff.ms': '10',
    }
    const playIn = (index: string, more: Record<string, string> = {}) =>
      play({ ...tolerant, ...more }, { topic: index, reporter: true })

    test('no document is skipped if the index is closed', async () => {
      const p = await playIn(uniqueName('closed'))
      await p.write([p.record('a', { n: 1 })])
      await post(`/${p.topic}/_close`)
      await waits(p, /\(400\): index_closed_exception: closed.*Open the index \(POST \/t-\w+\/_open\)/, () =>
        post(`/${p.topic}/_open`),
      )
    })

    test('no document is skipped if the name of the index matches several indices', async () => {
      const p = await playIn(`${uniqueName('star')}-*`)
      await waits(p, /\(400\): invalid_index_name_exception.*Correct the name/, null)
    })

    test('no document is skipped if the index is blocked manually or because the disk is full', async () => {
      for (const [block, hint] of [
        ['write', /Remove the block/],
        ['read_only', /Remove the block/],
        ['read_only_allow_delete', /The disk is almost full/],
      ] as const) {
        const p = await playIn(uniqueName('block'))
        await p.write([p.record('a', { n: 1 })])
        const set = (value: boolean | null) => put(`/${p.topic}/_settings`, { [`index.blocks.${block}`]: value })
        await set(true)
        await waits(p, hint, () => set(null))
      }
    })

    test('no document is skipped if the target is an alias without a write index', async () => {
      const [one, two, alias] = [uniqueName('one'), uniqueName('two'), uniqueName('alias')]
      for (const index of [one, two]) await put(`/${index}`, {})
      const actions = [one, two].map(index => ({ add: { index, alias } }))
      await post('/_aliases', { actions })
      const topic = uniqueName('topic')
      const p = await playIn(topic, {
        'external.resource.usage': 'ALIAS_INDEX',
        'topic.to.external.resource.mapping': `${topic}:${alias}`,
      })
      const writeTo = { actions: [{ add: { index: one, alias, is_write_index: true } }] }
      await waits(p, /no write index.*Give the alias a write index/, () => post('/_aliases', writeTo), alias)
    })

    test('no document is skipped if the index uses a pipeline that does not exist', async () => {
      const p = await playIn(uniqueName('pipeline'))
      await put(`/${p.topic}`, { settings: { 'index.default_pipeline': 'not-there' } })
      await waits(p, /pipeline with id \[not-there\] does not exist.*Create the pipeline/, () =>
        put(`/${p.topic}/_settings`, { 'index.default_pipeline': null }),
      )
    })

    test('no document is skipped if the mapping requires a routing value', async () => {
      const p = await playIn(uniqueName('routing'))
      await put(`/${p.topic}`, { mappings: { _routing: { required: true } } })
      await waits(p, /routing_missing_exception.*requires a routing value/, null)
    })

    test('no document is skipped if the index is missing and not created automatically', async () => {
      const [topic, index] = [uniqueName('topic'), uniqueName('external')]
      const external = {
        'external.resource.usage': 'INDEX',
        'topic.to.external.resource.mapping': `${topic}:${index}`,
      }
      const p = await playIn(topic, external)
      p.send(p.record('a', { n: 1 }))
      expect(await p.refusal()).toMatch(
        new RegExp(`index ${index} of topic ${topic} \\(404\\): ${index} does not exist.*Create the index`),
      )
      await put(`/${index}`, {})
      await p.committed()
      expect(await documents(index)).toEqual({ a: { n: 1 } })
    })

    test('a document rejected for its content is skipped, even if the error does not say whether the document is at fault', async () => {
      const p = await playIn(uniqueName('document'))
      await put(`/${p.topic}`, {
        settings: { 'index.mapping.total_fields.limit': 4 },
        mappings: {
          properties: {
            n: { type: 'integer' },
            k: { type: 'keyword' },
            s: { type: 'object', dynamic: 'strict', properties: {} },
          },
        },
      })
      await p.write([
        p.record('a', { n: 1 }),
        p.record('type', { n: 'no number' }),
        p.record('strict', { s: { a: 1 } }),
        p.record('fields', { a: 1, b: 2, c: 3, d: 4 }),
        p.record('immense', { k: 'x'.repeat(40_000) }),
        p.record('object', { n: { a: 1 } }),
        p.record('b', { n: 2 }),
      ])
      expect(await documents(p.topic)).toEqual({ a: { n: 1 }, b: { n: 2 } })
      // Sorted, because documents that needed a probe come last.
      expect(p.reported.map(r => r.key).sort()).toEqual(['fields', 'immense', 'object', 'strict', 'type'])
      expect(p.reported.every(r => r.message.includes('MR_ES_MALFORMED'))).toBe(true)
    })
  })

  test('nothing is skipped when a gateway answers every bulk request with its own error page', async () => {
    let isOpen = false
    const through = await proxy(path =>
      path.startsWith('/_bulk') && !isOpen ? { status: 400, body: '<html><h1>400 Bad Request</h1></html>' } : null,
    )
    const p = await play(
      { 'connection.url': through, 'behavior.on.malformed.documents': 'ignore', 'max.retries': '1' },
      { reporter: true },
    )
    await p.put([p.record('a', { n: 1 }), p.record('b', { n: 2 })])
    const said = await p.refusal()
    expect(said).toMatch(
      /status 400, the response starts with <html>.*not an Elasticsearch response.*any proxy or gateway/,
    )
    expect(said).toContain(`index ${p.topic} of topic ${p.topic}`)
    expect(await p.nextCommit()).toBe(0)
    isOpen = true
    await p.committed()
    expect(await documents(p.topic)).toEqual({ a: { n: 1 }, b: { n: 2 } })
    expect(p.reported).toEqual([])
  })

  test('with sniffing, documents go to the nodes that the cluster lists', async () => {
    let asked = 0
    const through = await proxy(path => {
      if (path.startsWith('/_nodes')) asked++
      return null
    })
    const p = await play({ 'connection.url': through, 'connection.sniff': 'true' })
    // The validation sniffs too.
    asked = 0
    await p.write([p.record('a', { n: 1 })])
    await p.write([p.record('b', { n: 2 })])
    expect(await documents(p.topic)).toEqual({ a: { n: 1 }, b: { n: 2 } })
    expect(asked).toBe(1)
  })

  test('upserts merge in order with any number of requests in flight', async () => {
    const p = await play({ 'write.method': 'upsert', 'batch.size': '3', 'max.in.flight.requests': '5' })
    const records = Array.from({ length: 60 }, (_, n) => p.record(`k${n % 4}`, { [`f${n % 3}`]: n, last: n }))
    await p.write(records)
    const expected: Record<string, Record<string, number>> = {}
    for (const r of records) Object.assign((expected[r.key as string] ??= {}), r.value)
    expect(await documents(p.topic)).toEqual(expected)
  })

  test('without versions the last write of a key wins, even after the topic was recreated', async () => {
    const p = await play({ 'external.version.source': 'none', 'batch.size': '2' })
    await p.write(Array.from({ length: 20 }, (_, n) => p.record('a', { n })))
    await p.stop()
    // The offsets of the recreated topic begin at 0 again.
    const recreated = await play({ 'external.version.source': 'none' }, { topic: p.topic })
    await recreated.write([p.record('a', { n: 7 })])
    expect(await documents(p.topic)).toEqual({ a: { n: 7 } })
  })

  test('the version is read from external.version.header', async () => {
    const p = await play({ 'external.version.header': 'v' })
    const at = (v: string) => ({ headers: [{ key: 'v', schema: null, value: v }] })
    await p.write([p.record('a', { n: 9 }, at('9')), p.record('a', { n: 3 }, at('3'))])
    expect(await documents(p.topic)).toEqual({ a: { n: 9 } })
    expect(await p.rejected([p.record('a', { n: 1 })])).toMatch(/header v/)
  })

  test('with key.ignore the id is topic, partition and offset', async () => {
    const p = await play({ 'key.ignore': 'true' })
    await p.write([p.record(null, { n: 1 }), p.record('x', { n: 2 })])
    expect(Object.keys(await documents(p.topic))).toEqual([`${p.topic}+0+0`, `${p.topic}+0+1`])
  })

  test('a schema becomes the mapping, with exact types', async () => {
    const p = await play({ 'schema.ignore': 'false' })
    const valueSchema = struct({
      id: primitive('int64'),
      name: primitive('string'),
      price: decimal(2),
      at: timestamp(),
      tags: primitive('bytes', { optional: true }),
    })
    const at = new Date('2026-01-02T03:04:05.678Z')
    await p.write([
      p.record(
        'a',
        { id: 9007199254740993n, name: 'x', price: Decimal.parse('12.30'), at, tags: null },
        { valueSchema },
      ),
    ])
    const { body } = await ask(`/${p.topic}/_mapping`)
    expect(body[p.topic]).toMatchObject({
      mappings: {
        properties: {
          id: { type: 'long' },
          name: { type: 'text', fields: { keyword: {} } },
          price: { type: 'double' },
          at: { type: 'date' },
          tags: { type: 'binary' },
        },
      },
    })
    const raw = await (await fetch(`${url}/${p.topic}/_doc/a`)).text()
    expect(raw).toContain('"_source":{"id":9007199254740993,"name":"x","price":12.3,"at":1767323045678,"tags":null}')
  })

  test('a whole-number double without a schema creates a double field, which accepts a fraction later', async () => {
    const p = await play()
    const converter = new JsonConverter()
    configured(converter, { 'schemas.enable': 'false' })
    const read = (json: string) => converter.toConnectData(p.topic, Buffer.from(json)).value
    await p.write([p.record('a', read('{"f":0.0,"g":1.0E300,"n":9007199254740993}'))])
    await p.write([p.record('b', read('{"f":0.25,"g":-4.9E-324,"n":1}'))])
    const { body } = await ask(`/${p.topic}/_mapping`)
    expect(body[p.topic]).toMatchObject({
      mappings: { properties: { f: { type: 'double' }, g: { type: 'double' }, n: { type: 'long' } } },
    })
    const raw = await (await fetch(`${url}/${p.topic}/_doc/a`)).text()
    expect(raw).toContain('"_source":{"f":0.0,"g":1.0E300,"n":9007199254740993}')
    const second = await (await fetch(`${url}/${p.topic}/_doc/b`)).text()
    expect(second).toContain('"_source":{"f":0.25,"g":-4.9E-324,"n":1}')
  })

  test('a data stream gets each document once, with a timestamp', async () => {
    const props = { 'data.stream.type': 'logs', 'data.stream.dataset': 'orders', 'key.ignore': 'true' }
    const p = await play(props, { topic: uniqueName('ds') })
    const records = [p.record(null, { message: 'x' })]
    await p.write(records)
    const again = await play(props, { topic: p.topic })
    await again.write(records)
    const found = Object.values(await documents(`logs-orders-${p.topic}`))
    expect(found).toEqual([{ '@timestamp': 1_700_000_000_000, message: 'x' }])
  })

  test('a record that cannot be converted to a document fails the task with an error that names the record, or is dropped as configured', async () => {
    for (const [key, value, code] of [
      [{ a: 1 }, { n: 1 }, 'MR_ES_ID'],
      ['k'.repeat(513), { n: 1 }, 'MR_ES_ID_TOO_LONG'],
      ['a', 'text', 'MR_ES_DOCUMENT'],
    ] as const) {
      const strict = await play()
      const said = await strict.rejected([strict.record(key, value)])
      expect(said).toContain(`[${code}]`)
      expect(said).toContain(strict.topic)
    }
    const lenient = await play({ 'drop.invalid.message': 'true' })
    await lenient.write([lenient.record('a', 'text'), lenient.record('b', { n: 1 })])
    expect(await documents(lenient.topic)).toEqual({ b: { n: 1 } })
  })

  test('a request that is too large for the server is split until the parts fit', async () => {
    const through = await proxy(path =>
      path.startsWith('/_bulk') && sizes.push(0) === 1 ? { status: 413, body: '' } : null,
    )
    const sizes: number[] = []
    const p = await play({ 'connection.url': through })
    await p.write(Array.from({ length: 10 }, (_, n) => p.record(`k${n}`, { n })))
    expect(Object.keys(await documents(p.topic))).toHaveLength(10)
  })

  test('an error of validation names the key at fault', async () => {
    const connector = new ElasticsearchSinkConnector()
    const check = async (props: Record<string, string>) => {
      const values = await validateConnector(connector, props)
      return Object.fromEntries(values.filter(v => v.errors.length > 0).map(v => [v.name, v.errors.join()]))
    }
    expect(await check({ 'connection.url': url! })).toEqual({})
    expect(Object.keys(await check({ 'connection.url': 'http://127.0.0.1:1' }))).toEqual(['connection.url'])
    expect(Object.keys(await check({ 'connection.url': url!, 'connection.username': 'x' }))).toEqual([
      'connection.username',
      'connection.password',
    ])
    expect(Object.keys(await check({ 'connection.url': url!, 'behavior.on.null.values': 'explode' }))).toEqual([
      'behavior.on.null.values',
    ])
    expect(Object.keys(await check({ 'connection.url': url!, 'data.stream.type': 'logs' }))).toEqual([
      'data.stream.dataset',
    ])
  })
})
