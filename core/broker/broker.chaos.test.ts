import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sleep } from '../common/async/sleep.ts'
import { ProduceRequest, ProduceResponse } from '../protocol/messages/00-produce.ts'
import { FetchRequest, FetchResponse } from '../protocol/messages/01-fetch.ts'
import { MetadataRequest, MetadataResponse } from '../protocol/messages/03-metadata.ts'
import { CreateTopicsRequest, CreateTopicsResponse } from '../protocol/messages/19-create-topics.ts'
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../protocol/messages/20-delete-topics.ts'
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../protocol/messages/44-incremental-alter-configs.ts'
import { batchOf, valuesIn } from './test-support/batches.ts'
import { startBrokerProcess } from './test-support/broker-process.ts'
import { RawClient } from './test-support/raw-client.ts'

const ROUNDS = Number(process.env['CHAOS_ROUNDS'] ?? 20)
const seed = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/** mulberry32, a small random generator. The same seed gives the same numbers. */
function randomOf(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * What the broker has acknowledged: for each topic, its id, its records in order, and its
 * retention. `inDoubt` contains the topics whose creation or deletion was requested but not
 * acknowledged.
 */
interface Acked {
  readonly topics: Map<string, { id: string; values: string[]; retention: string | null }>
  readonly inDoubt: Set<string>
}

async function work(c: RawClient, acked: Acked, random: () => number, round: number): Promise<never> {
  for (let i = 0; ; i++) {
    const name = `t${Math.floor(random() * 8)}`
    const known = acked.topics.get(name)
    const dice = random()
    if (!known) {
      acked.inDoubt.add(name)
      const topics = [{ name, numPartitions: 2, replicationFactor: 1 }]
      const r = await c.request(CreateTopicsRequest, CreateTopicsResponse, 7, { topics, timeoutMs: 5000 })
      expect([0, 36]).toContain(r.topics[0]?.errorCode)
      if (r.topics[0]?.errorCode === 0) acked.topics.set(name, { id: r.topics[0].topicId, values: [], retention: null })
      acked.inDoubt.delete(name)
      if (r.topics[0]?.errorCode === 36) await remove(c, acked, name)
    } else if (dice < 0.1) await remove(c, acked, name)
    else if (dice < 0.2) await configure(c, known, name, String(1_000_000_000 + i))
    else {
      const value = `${round}.${i}`
      const partitionData = [{ index: 0, records: batchOf(value) }]
      const r = await c.request(ProduceRequest, ProduceResponse, 12, { acks: -1, topicData: [{ name, partitionData }] })
      expect(r.responses[0]?.partitionResponses[0]?.errorCode).toBe(0)
      known.values.push(value)
    }
  }
}

async function remove(c: RawClient, acked: Acked, name: string): Promise<void> {
  acked.inDoubt.add(name)
  acked.topics.delete(name)
  await c.request(DeleteTopicsRequest, DeleteTopicsResponse, 6, { topics: [{ name }], timeoutMs: 5000 })
  acked.inDoubt.delete(name)
}

async function configure(
  c: RawClient,
  known: { retention: string | null },
  name: string,
  value: string,
): Promise<void> {
  known.retention = null
  const configs = [{ name: 'retention.ms', configOperation: 0, value }]
  const resources = [{ resourceType: 2, resourceName: name, configs }]
  await c.request(IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, 1, { resources })
  known.retention = value
}

async function valuesOf(c: RawClient, topic: string): Promise<string[]> {
  const values: string[] = []
  for (let offset = 0; ; ) {
    const partitions = [{ partition: 0, fetchOffset: offset, partitionMaxBytes: 10 << 20 }]
    const r = await c.request(FetchRequest, FetchResponse, 12, { maxWaitMs: 0, topics: [{ topic, partitions }] })
    const p = r.responses[0]!.partitions[0]!
    expect(p.errorCode).toBe(0)
    const got = valuesIn(p.records)
    if (got.length === 0) return values
    values.push(...got)
    offset += got.length
  }
}

/** Checks that all acknowledged records exist, and no others except those of the last request. */
async function check(c: RawClient, acked: Acked): Promise<void> {
  const { topics } = await c.request(MetadataRequest, MetadataResponse, 12, { topics: null })
  const existing = new Map(topics.map(t => [t.name ?? '', t]))
  for (const [name, { id, values }] of acked.topics) {
    expect(existing.get(name)?.topicId, name).toBe(id)
    expect(existing.get(name)?.partitions.map(p => p.leaderId)).toEqual([1, 1])
    const got = await valuesOf(c, name)
    // The broker may have written the last request and died before it sent the response.
    expect(got.slice(0, values.length), name).toEqual(values)
    expect(got.length).toBeLessThanOrEqual(values.length + 1)
    values.splice(0, values.length, ...got)
  }
  for (const name of existing.keys()) expect(acked.topics.has(name) || acked.inDoubt.has(name), name).toBe(true)
  // A topic whose creation or deletion was not acknowledged either exists completely or not at all.
  for (const name of acked.inDoubt) {
    const topic = existing.get(name)
    if (topic) acked.topics.set(name, { id: topic.topicId, values: await valuesOf(c, name), retention: null })
  }
  acked.inDoubt.clear()
}

test(`topics, configs and acknowledged records survive SIGKILL at any moment (seed ${seed})`, {
  timeout: 300_000,
}, async () => {
  const random = randomOf(seed)
  const dir = mkdtempSync(join(tmpdir(), 'millrace-chaos-'))
  const acked: Acked = { topics: new Map(), inDoubt: new Set() }
  const settings = { 'log.dirs': dir, listeners: 'PLAINTEXT://127.0.0.1:0' }
  for (let round = 0; round < ROUNDS; round++) {
    const broker = await startBrokerProcess(settings)
    const c = await RawClient.connect(broker.port)
    await check(c, acked)
    const worked = work(c, acked, random, round).catch(error => {
      if (!/connection was closed/.test(String(error))) throw error
    })
    await sleep(20 + random() * 200)
    await broker.kill()
    await worked
    c.close()
  }
  const broker = await startBrokerProcess(settings)
  const c = await RawClient.connect(broker.port)
  await check(c, acked)
  expect(acked.topics.size).toBeGreaterThan(0)
  c.close()
  await broker.stop()
  rmSync(dir, { recursive: true })
})
