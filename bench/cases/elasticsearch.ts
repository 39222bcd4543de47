import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Pool } from 'undici'
import { createProducer } from '../../core/client/index.ts'
import { sleep } from '../../core/common/async/sleep.ts'
import { startElasticsearch } from '../../test/services/elasticsearch.ts'
import { alternate, type Figures, type Side, type Summary } from '../lib/compare.ts'
import { post, prepareMillrace, reachable } from '../lib/stack.ts'
import { OTHER, otherCheckout } from '../lib/warm.ts'

const DOCUMENTS = 200_000
/** The defaults of the sink, which the bare loop uses too. */
const BULK = 2000
const IN_FLIGHT = 5
/**
 * The settings of an index. The index is not refreshed during a run, because a refresh uses CPU
 * time. At the end it is refreshed once, and the documents are counted.
 */
const SETTINGS = { settings: { number_of_shards: 1, number_of_replicas: 0, refresh_interval: '-1' } }

const idOf = (n: number) => `order-${n}`

/** Returns a document of about 300 bytes. */
function documentOf(n: number): string {
  return JSON.stringify({
    id: n,
    customer: `customer ${n % 997}`,
    status: ['new', 'paid', 'sent', 'done'][n % 4],
    total: (n % 10_000) / 100,
    lines: [{ item: n % 313, count: n % 7 }],
    placed: 1_700_000_000_000 + n,
    note: `${n} `.padEnd(140, 'some words of a note that are indexed as text '),
  })
}

/** Returns exactly the bytes that the sink sends for the n-th record. */
function actionOf(index: string, n: number): string {
  return `{"index":{"_index":"${index}","_id":"${idOf(n)}","version":${n},"version_type":"external"}}\n${documentOf(n)}\n`
}

/**
 * Sends a request. Retries while the node answers 429: after a run, its heap may be full until its
 * next garbage collection.
 */
async function ask(url: string, method: string, path: string, body?: unknown): Promise<Record<string, never>> {
  const init = { method, headers: { 'content-type': 'application/json' } }
  for (const end = Date.now() + 60_000; ; await sleep(200)) {
    const answer = await fetch(`${url}${path}`, { ...init, ...(body !== undefined && { body: JSON.stringify(body) }) })
    if (answer.ok) return (await answer.json()) as Record<string, never>
    const text = await answer.text()
    if (answer.status !== 429 || Date.now() > end) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
  }
}

/**
 * Waits until all documents are indexed, and checks that a search finds the same number. Returns
 * this number.
 */
async function holds(url: string, index: string): Promise<number> {
  for (const end = Date.now() + 600_000; Date.now() < end; await sleep(20)) {
    const stats = await ask(url, 'GET', `/${index}/_stats/indexing?filter_path=_all.primaries.indexing.index_total`)
    const { _all: all } = stats as unknown as { _all?: { primaries?: { indexing?: { index_total?: number } } } }
    if ((all?.primaries?.indexing?.index_total ?? 0) < DOCUMENTS) continue
    const reached = performance.now()
    await ask(url, 'POST', `/${index}/_refresh`)
    const { count } = await ask(url, 'GET', `/${index}/_count`)
    if (count !== DOCUMENTS) throw new Error(`${index} has ${count} documents, not ${DOCUMENTS}`)
    return reached
  }
  throw new Error(`${index} was not filled within 10 minutes`)
}

async function fill(bootstrap: string, topic: string): Promise<void> {
  const producer = createProducer({ bootstrapServers: [bootstrap], batchSize: 131_072 })
  let failed: Error | null = null
  const listener = { onDelivery: (_: number, error: Error | null) => void (failed ??= error) }
  for (let n = 0; n < DOCUMENTS; n++) {
    const record = { topic, partition: 0, key: Buffer.from(idOf(n)), value: Buffer.from(documentOf(n)) }
    while (!producer.append(record, listener, n)) await producer.room()
  }
  await producer.flush()
  await producer.close()
  if (failed) throw failed
}

/** Measures the sink from the POST of the connector. The topic already contains all records. */
async function sink(dir: string, url: string, index: string, checkout?: string): Promise<Figures> {
  const stack = await (await prepareMillrace(dir, checkout))()
  try {
    await reachable(stack.rest)
    await fill(stack.bootstrap, index)
    const cpu = stack.worker.cpuSeconds()
    const began = performance.now()
    await post(stack.rest, index, {
      'connector.class': 'io.confluent.connect.elasticsearch.ElasticsearchSinkConnector',
      topics: index,
      'connection.url': url,
      'schema.ignore': 'true',
      // On a busy machine, responses may be slow. That must not fail the task.
      'read.timeout.ms': '60000',
      'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'value.converter.schemas.enable': 'false',
      'consumer.override.auto.offset.reset': 'earliest',
    })
    const seconds = ((await holds(url, index)) - began) / 1000
    const used = stack.worker.cpuSeconds() - cpu
    return { 'documents/s': DOCUMENTS / seconds, 'client CPU s': used, 'client peak MB': stack.worker.peakMb() }
  } finally {
    await stack.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

/**
 * Measures the highest rate of a client: a bare loop that sends the same bytes from memory and does
 * nothing else.
 */
async function bare(url: string, index: string): Promise<Figures> {
  const bodies: Buffer[] = []
  for (let from = 0; from < DOCUMENTS; from += BULK) {
    bodies.push(Buffer.from(Array.from({ length: BULK }, (_, n) => actionOf(index, from + n)).join('')))
  }
  const pool = new Pool(url, { connections: IN_FLIGHT, headersTimeout: 60_000 })
  const cpu = process.cpuUsage()
  const began = performance.now()
  let next = 0
  const worker = async () => {
    const headers = { 'content-type': 'application/x-ndjson' }
    for (let body = bodies[next++]; body; ) {
      const answer = await pool.request({ method: 'POST', path: '/_bulk?filter_path=errors', headers, body })
      const { errors } = (await answer.body.json()) as { errors?: boolean }
      if (answer.statusCode === 429) {
        // The sink has the same back-off.
        await sleep(100)
        continue
      }
      if (answer.statusCode !== 200 || errors) throw new Error(`_bulk: ${answer.statusCode}, errors ${errors}`)
      body = bodies[next++]
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  const { user, system } = process.cpuUsage(cpu)
  const seconds = ((await holds(url, index)) - began) / 1000
  await pool.close()
  return { 'documents/s': DOCUMENTS / seconds, 'client CPU s': (user + system) / 1e6 }
}

/**
 * Compares the sink, which writes a topic into an index of one node, with a bare loop of bulk
 * requests, or with the sink of another checkout. Each run has a new index.
 */
export async function elasticsearchBench(
  dir: string,
  rounds: number,
  say: (text: string) => void,
): Promise<{ title: string; summaries: Summary[] }[]> {
  const title = `Elasticsearch sink: ${DOCUMENTS} documents of about 300 bytes into an index`
  say(title)
  const elasticsearch = await startElasticsearch({ args: ['--heap', '1g'] })
  const { url } = elasticsearch
  let n = 0
  const into = (run: (index: string) => Promise<Figures>) => async () => {
    const index = `bench-${++n}`
    await ask(url, 'PUT', `/${index}`, SETTINGS)
    try {
      return await run(index)
    } finally {
      await ask(url, 'DELETE', `/${index}`)
    }
  }
  try {
    // Warms up the code of the server.
    say(`  warming up: ${Math.round((await into(index => bare(url, index))())['documents/s']!)} documents/s`)
    const base = otherCheckout()
    const sides: Side[] = [
      { name: 'Millrace', run: into(index => sink(join(dir, index), url, index)) },
      base
        ? { name: OTHER, run: into(index => sink(join(dir, index), url, index, base)) }
        : { name: 'bare _bulk loop', run: into(index => bare(url, index)) },
      { name: 'Millrace (control)', run: into(index => sink(join(dir, index), url, index)) },
    ]
    return [{ title, summaries: await alternate(sides, rounds, say) }]
  } finally {
    await elasticsearch.stop()
  }
}
