import { primitive } from 'millrace/connect'
import { afterEach, expect, test } from 'vitest'
import { sleep } from '../../core/common/async/sleep.ts'
import { random } from '../../test/random.ts'
import { ElasticsearchSink, type ElasticsearchSinkOptions } from './test-support/elasticsearch-sink.ts'
import { ScriptedElasticsearch } from './test-support/scripted-elasticsearch.ts'

const sinks: ElasticsearchSink[] = []
afterEach(async () => {
  for (const sink of sinks.splice(0)) await sink.stop()
})

async function play(
  es: ScriptedElasticsearch,
  props: Record<string, string> = {},
  options: ElasticsearchSinkOptions = {},
): Promise<ElasticsearchSink> {
  const sink = new ElasticsearchSink(
    'topic',
    { 'connection.url': es.url, 'retry.backoff.ms': '10', 'behavior.on.null.values': 'delete', ...props },
    options,
  )
  sinks.push(sink)
  return sink.start()
}

/** Blocks bulk requests until a test releases them. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<null>()
  return { closed: promise, open: () => resolve(null) }
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !condition(); await sleep(5))
    if (Date.now() > end) throw new Error('waited 20 s')
}

const state = (es: ScriptedElasticsearch) =>
  Object.fromEntries([...es.documents].map(([id, { document }]) => [id, document]))

test('revoking a partition does not affect the others: their unwritten records stay uncommitted', async () => {
  await using es = await ScriptedElasticsearch.start()
  const p = await play(es)
  es.refuse = () => 503
  await p.put([p.record('a', { n: 0 }), p.record('b', { n: 1 }, { partition: 1 })])
  await until(() => es.bulks.length > 1)
  await p.revoke([{ topic: 'topic', partition: 1 }])
  expect(await p.nextCommit(0)).toBe(0)
  es.refuse = () => null
  await until(() => es.documents.has('a'))
  await p.committed()
  expect(state(es)).toEqual({ a: { n: 0 } })
})

test('a rebalance waits for the requests in flight, and queued records are not sent', async () => {
  await using es = await ScriptedElasticsearch.start()
  const p = await play(es, { 'max.in.flight.requests': '1' })
  const { closed, open } = gate()
  es.decide = () => closed
  await p.put([p.record('a', { n: 0 })])
  await until(() => es.bulks.length === 1)
  await p.put([p.record('b', { n: 1 })])
  let isClosed = false
  const closing = p.revoke([{ topic: 'topic', partition: 0 }]).then(() => (isClosed = true))
  await sleep(20)
  expect(isClosed).toBe(false)
  open()
  await closing
  expect(state(es)).toEqual({ a: { n: 0 } })
  expect(es.bulks).toEqual([1])
})

test('an error of a revoked partition does not affect later records', async () => {
  await using es = await ScriptedElasticsearch.start()
  const p = await play(es, { 'max.retries': '0' })
  es.refuse = () => 503
  await p.put([p.record('a', { n: 0 })])
  expect(await p.refusal()).toMatch(/MR_ES_UNAVAILABLE/)
  await p.revoke([{ topic: 'topic', partition: 0 }])
  await p.until(() => p.waitingFor === null)
  await p.idle()
})

test('a stop waits briefly for the requests in flight, so that their records are not delivered again', async () => {
  await using es = await ScriptedElasticsearch.start()
  const p = await play(es, { 'linger.ms': '60000' }, { offsetFlushIntervalMs: 60_000 })
  await p.put([p.record('a', { n: 0 })])
  expect(state(es)).toEqual({})
  await p.stop()
  expect(p.offset()).toBe(1)
  expect(state(es)).toEqual({ a: { n: 0 } })
})

test('a document that was deleted while an older write is retried stays deleted', async () => {
  await using es = await ScriptedElasticsearch.start()
  const p = await play(es, { 'batch.size': '1', 'max.in.flight.requests': '2' })
  let refused = 0
  const deleted = gate()
  es.refuse = ({ op, id }) => {
    if (op === 'delete') deleted.open()
    return op === 'index' && id === 'a' && refused++ === 0 ? 429 : null
  }
  // The older request gets its response after the newer request.
  es.decide = async actions => (actions[0]!.op === 'index' ? deleted.closed : null)
  await p.put([p.record('a', { n: 0 }), p.record('a', null)])
  await p.committed()
  expect(refused).toBe(1)
  expect(state(es)).toEqual({})
})

test('with rejected, cut and slow requests, each document ends in the state of its last record', async () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9))
  console.log(`elasticsearch seed ${seed}`)
  const { below } = random(seed)
  const ways: Record<string, string>[] = [
    {},
    { 'external.version.source': 'none' },
    { 'external.version.source': 'timestamp' },
    { 'write.method': 'upsert' },
  ]
  for (const props of ways) {
    await using es = await ScriptedElasticsearch.start()
    const p = await play(es, { 'batch.size': '7', 'retry.backoff.ms': '1', 'max.in.flight.requests': '4', ...props })
    let trouble = true
    es.refuse = () => (trouble && below(10) === 0 ? [429, 500, 503][below(3)]! : null)
    es.decide = (actions, n) => {
      if (!trouble) return null
      if (below(12) === 0) return 'cut'
      if (below(12) === 0) {
        // A request with a single document never gets 413, because that would reject the document
        // permanently.
        return { status: actions.length > 1 && below(2) === 0 ? 413 : 503, body: '' }
      }
      return n % 3 === 0 ? sleep(below(5)).then(() => null) : null
    }
    const expected = new Map<string, Record<string, unknown>>()
    for (let round = 0; round < 40; round++) {
      const records = Array.from({ length: 1 + below(25) }, (_, n) => {
        const id = `k${below(6)}`
        const value = below(4) === 0 ? null : { [`f${below(3)}`]: n, last: round * 100 + n }
        if (!value) expected.delete(id)
        else expected.set(id, 'write.method' in props ? { ...expected.get(id), ...value } : value)
        return p.record(id, value, { timestamp: 1000 + round })
      })
      await p.put(records)
      if (below(5) === 0) await p.nextCommit()
    }
    trouble = false
    await p.committed()
    for (const error of p.putErrors) expect(String(error)).toMatch(/MR_ES_(BUSY|UNAVAILABLE|UNREACHABLE)/)
    expect(state(es)).toEqual(Object.fromEntries(expected))
  }
})

test('a request that is cut off before its response is sent again in halves until the halves succeed', async () => {
  await using es = await ScriptedElasticsearch.start()
  const p = await play(es)
  es.decide = actions => (actions.length > 3 ? 'cut' : null)
  await p.put(Array.from({ length: 20 }, (_, n) => p.record(`k${n}`, { n })))
  await p.committed()
  expect(es.documents.size).toBe(20)
})

test('a request that times out is sent again in halves', async () => {
  await using es = await ScriptedElasticsearch.start()
  const p = await play(es, { 'read.timeout.ms': '1000' })
  es.decide = actions => (actions.length > 2 ? new Promise<null>(() => {}) : null)
  await p.put(Array.from({ length: 4 }, (_, n) => p.record(`k${n}`, { n })))
  await p.committed()
  expect(es.documents.size).toBe(4)
})

test('after a request was too large, the next requests are smaller from the start', async () => {
  await using es = await ScriptedElasticsearch.start()
  const p = await play(es)
  es.decide = actions => (actions.length > 10 ? { status: 413, body: '' } : null)
  const batch = () => Array.from({ length: 40 }, (_, n) => p.record(`k${n}`, { text: 'x'.repeat(100) }))
  await p.put(batch())
  await p.committed()
  const before = es.bulks.length
  await p.put(batch())
  await p.committed()
  expect(es.bulks.slice(before).every(n => n <= 10)).toBe(true)
})

test('while requests are in flight, new records are collected into full requests', async () => {
  await using es = await ScriptedElasticsearch.start()
  const p = await play(es, { 'max.in.flight.requests': '1', 'batch.size': '1000' })
  const { closed, open } = gate()
  es.decide = () => closed
  for (let n = 0; n < 10; n++) {
    await p.put(Array.from({ length: 200 }, (_, i) => p.record(`k${n}-${i}`, { n })))
    if (n === 0) await until(() => es.bulks.length === 1)
    // This is longer than linger.ms.
    await sleep(5)
  }
  open()
  await p.committed()
  expect(es.bulks).toEqual([200, 1000, 800])
})

test('the buffer is limited in bytes: put of a batch above the limit waits, then throws a retriable error', async () => {
  await using es = await ScriptedElasticsearch.start()
  const p = await play(es, { 'max.buffered.bytes': '10000', 'flush.timeout.ms': '50' })
  const { closed, open } = gate()
  es.decide = () => closed
  await p.put([p.record('a', { text: 'x'.repeat(20_000) })])
  p.send(p.record('b', { n: 1 }))
  await p.refusal()
  expect(p.putErrors).toMatchObject([{ retriable: true }])
  open()
  await p.committed()
  expect(es.documents.size).toBe(2)
})

test('a record that cannot be a document is reported once, even if its batch is delivered again', async () => {
  await using es = await ScriptedElasticsearch.start()
  const p = await play(es, { 'max.buffered.records': '2', 'flush.timeout.ms': '50' }, { reporter: true })
  const { closed, open } = gate()
  es.decide = () => closed
  await p.put([p.record('a', { n: 0 })])
  p.send(p.record('b', 'no document'), p.record('c', { n: 2 }))
  await p.refusal()
  expect(p.putErrors).toMatchObject([{ retriable: true }])
  open()
  await p.committed()
  expect(p.reported.map(r => r.key)).toEqual(['b'])
})

test('of two records with the same timestamp as version, the later one wins', async () => {
  await using es = await ScriptedElasticsearch.start()
  const p = await play(es, { 'external.version.source': 'timestamp' })
  await p.put([p.record('a', { n: 0 }, { timestamp: 5 }), p.record('a', { n: 1 }, { timestamp: 5 })])
  await p.committed()
  await p.put([p.record('a', { n: 2 }, { timestamp: 4 })])
  await p.committed()
  expect(state(es)).toEqual({ a: { n: 1 } })
})

test('with drop.invalid.message a record that is not a struct is dropped, also with schema.ignore=false', async () => {
  await using es = await ScriptedElasticsearch.start()
  const p = await play(es, { 'schema.ignore': 'false', 'drop.invalid.message': 'true' })
  await p.put([p.record('a', 'text', { valueSchema: primitive('string') }), p.record('b', { n: 1 })])
  await p.committed()
  expect(state(es)).toEqual({ b: { n: 1 } })
  expect(p.warnings).toHaveLength(1)
})

test('a document that is too large alone is rejected with an error that names it, and the others are written', async () => {
  await using es = await ScriptedElasticsearch.start()
  const p = await play(es, { 'behavior.on.malformed.documents': 'warn' })
  es.decide = actions => (actions.some(a => a.id === 'big') ? { status: 413, body: '' } : null)
  await p.put([p.record('a', { n: 1 }), p.record('big', { n: 2 }), p.record('c', { n: 3 })])
  await p.committed()
  expect(state(es)).toEqual({ a: { n: 1 }, c: { n: 3 } })
  expect(p.warnings).toEqual([
    expect.stringMatching(/document big .* offset 1, is too large.* \d+ bytes \(413\): it exceeds http\.max_content/),
  ])
})

const FUTURE = [400, 'error_of_a_later_version'] as const

test('an unknown error of one document rejects only that document, once its index is known to accept others', async () => {
  await using es = await ScriptedElasticsearch.start()
  const p = await play(es, { 'behavior.on.malformed.documents': 'ignore' }, { reporter: true })
  es.refuse = ({ id }) => (id === 'b' ? FUTURE : null)
  await p.put([p.record('a', { n: 0 }), p.record('b', { n: 1 }), p.record('c', { n: 2 })])
  await p.committed()
  expect(state(es)).toEqual({ a: { n: 0 }, c: { n: 2 } })
  expect(p.reported.map(r => r.key)).toEqual(['b'])
  expect(p.reported[0]!.message).toContain('error_of_a_later_version')
})

test('an unknown error of every document is an index problem: nothing is skipped, and everything is written later', async () => {
  await using es = await ScriptedElasticsearch.start()
  const p = await play(es, { 'behavior.on.malformed.documents': 'ignore', 'max.retries': '0' }, { reporter: true })
  es.refuse = () => FUTURE
  await p.put([p.record('a', { n: 0 }), p.record('b', { n: 1 })])
  expect(await p.refusal()).toMatch(/the index topic of topic topic \(400\): error_of_a_later_version.*MR_ES_INDEX/)
  expect(await p.nextCommit()).toBe(0)
  es.refuse = () => null
  await p.committed()
  expect(state(es)).toEqual({ a: { n: 0 }, b: { n: 1 } })
  expect(p.reported).toEqual([])
})

test('a response of a gateway, whatever its status and format, causes no record to be skipped', async () => {
  const page = '<html><body>Request blocked</body></html>'
  const answers = [
    { status: 400, body: page },
    { status: 404, body: page },
    { status: 413, body: page },
    { status: 200, body: page },
    { status: 200, body: '{"ok":true}' },
    { status: 200, body: '{"errors":false,"items":[]}' },
    { status: 302, body: '' },
    { status: 400, body: '{"message":"bad request"}' },
  ]
  for (const answer of answers) {
    await using es = await ScriptedElasticsearch.start()
    const p = await play(es, { 'behavior.on.malformed.documents': 'ignore', 'max.retries': '0' }, { reporter: true })
    es.decide = () => answer
    await p.put([p.record('a', { n: 0 }), p.record('b', { n: 1 })])
    const said = await p.refusal()
    expect(said).toMatch(/index topic of topic topic/)
    expect(said).toMatch(/MR_ES_ANSWER/)
    expect(await p.nextCommit()).toBe(0)
    es.decide = () => null
    await p.committed()
    expect(es.documents.size).toBe(2)
    expect(p.reported).toEqual([])
  }
})

test('a document that seems too large is kept if the index rejects everything, and the status reports it', async () => {
  await using es = await ScriptedElasticsearch.start()
  const p = await play(es, { 'behavior.on.malformed.documents': 'ignore', 'max.retries': '0' }, { reporter: true })
  es.decide = actions => (actions.some(a => a.id === 'a') ? { status: 413, body: '' } : null)
  es.refuse = () => [400, 'index_closed_exception']
  await p.put([p.record('a', { n: 0 })])
  expect(await p.refusal()).toMatch(/index_closed_exception.*Open the index/)
  expect(await p.nextCommit()).toBe(0)
  es.decide = () => null
  es.refuse = () => null
  await p.committed()
  expect(state(es)).toEqual({ a: { n: 0 } })
  expect(p.reported).toEqual([])
})

test('a document that was rejected just before a gateway recovered is sent again, not skipped', async () => {
  for (const rejected of [
    { status: 413, body: '' },
    { status: 400, body: '{"error":{"type":"illegal_argument_exception","reason":"not now"},"status":400}' },
  ]) {
    await using es = await ScriptedElasticsearch.start()
    const p = await play(es, { 'behavior.on.malformed.documents': 'ignore' }, { reporter: true })
    let hasRecovered = false
    es.decide = actions => {
      hasRecovered ||= !actions.some(a => a.id === 'a' || a.id === 'b')
      return hasRecovered ? null : rejected
    }
    await p.put([p.record('a', { n: 0 }), p.record('b', { n: 1 })])
    await p.committed()
    expect(state(es)).toEqual({ a: { n: 0 }, b: { n: 1 } })
    expect(p.reported).toEqual([])
  }
})

test('a request that is repeatedly rejected with 429 is split', async () => {
  await using es = await ScriptedElasticsearch.start()
  const p = await play(es)
  es.decide = actions => (actions.length > 3 ? { status: 429, body: '' } : null)
  await p.put(Array.from({ length: 20 }, (_, n) => p.record(`k${n}`, { n })))
  await p.committed()
  expect(es.documents.size).toBe(20)
})

test('a conflict that is not a version conflict does not mean that the document exists already', async () => {
  await using es = await ScriptedElasticsearch.start()
  const p = await play(es, { 'max.retries': '0' })
  es.refuse = () => [409, 'resource_in_use_exception']
  await p.put([p.record('a', { n: 0 })])
  expect(await p.refusal()).toMatch(/resource_in_use_exception/)
  expect(await p.nextCommit()).toBe(0)
  es.refuse = () => null
  await p.committed()
  expect(state(es)).toEqual({ a: { n: 0 } })
})

test('versioned media types are sent to servers that support them, and plain JSON to others', async () => {
  for (const [knowsVersions, type] of [
    [true, 'application/vnd.elasticsearch+x-ndjson; compatible-with=8'],
    [false, 'application/x-ndjson'],
  ] as const) {
    await using es = await ScriptedElasticsearch.start()
    es.knowsVersions = knowsVersions
    const p = await play(es)
    await p.put([p.record('a', { n: 0 })])
    await p.committed()
    expect(state(es)).toEqual({ a: { n: 0 } })
    expect(es.contentTypes).toEqual([type])
  }
})

test('with sniffing, requests go to the listed nodes; if the list is empty, the known node is kept', async () => {
  await using first = await ScriptedElasticsearch.start()
  await using second = await ScriptedElasticsearch.start()
  for (const nodes of [[second], []]) {
    first.nodes = nodes.map(node => node.url)
    const p = await play(first, { 'connection.sniff': 'true' })
    await p.put([p.record('a', { n: 0 })])
    await p.committed()
    const target = nodes[0] ?? first
    // The first request may still go to the node in connection.url.
    for (let n = 1; target.documents.size === 0; n++) {
      await p.put([p.record(`k${n}`, { n })])
      await p.committed()
    }
  }
})

test('a response that decompresses to more than the limit is not read, and no record is skipped', async () => {
  await using es = await ScriptedElasticsearch.start()
  const p = await play(es, { 'max.retries': '0' })
  const { gzipSync } = await import('node:zlib')
  const bomb = gzipSync(Buffer.alloc(65 * 2 ** 20, ' '))
  es.decide = () => ({ status: 200, body: bomb, headers: { 'content-encoding': 'gzip' } })
  await p.put([p.record('a', { n: 0 })])
  expect(await p.refusal()).toMatch(/MR_ES_ANSWER/)
  es.decide = () => null
  await p.committed()
  expect(state(es)).toEqual({ a: { n: 0 } })
})
