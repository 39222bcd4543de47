import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { findKafkaLibs, skipWithout } from '../../../test/peers/tools.ts'
import { FetchRequest } from '../../protocol/messages/01-fetch.ts'
import { ApacheKafka } from '../log/test-support/apache-kafka.ts'
import { removeDir, tempDir } from '../log/test-support/logs.ts'
import { RawClient } from '../test-support/raw-client.ts'
import { startTestBroker, type TestBroker } from '../test-support/test-broker.ts'

const libs = findKafkaLibs()
const skipped = skipWithout('Apache Kafka', libs !== null)
const settings = { 'connections.max.idle.ms': '3000' }

let dir: string
let theirs: ApacheKafka
let ours: TestBroker
beforeAll(async () => {
  if (skipped) return
  dir = tempDir()
  theirs = new ApacheKafka(libs!, dir, { settings })
  await theirs.start()
  ours = await startTestBroker(settings)
})
afterAll(async () => {
  if (skipped) return
  await ours.close()
  await theirs.stop()
  removeDir(dir)
})

/**
 * Starts a fetch, and returns what happens first: the connection closes, or the fetch is answered.
 */
async function firstOf(port: number, maxWaitMs: number): Promise<'closed' | 'answered'> {
  const c = await RawClient.connect(port)
  await c.call('CreateTopics', { topics: [{ name: 't', numPartitions: 1, replicationFactor: 1 }], timeoutMs: 5000 })
  const list = { replicaId: -1, topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1 }] }] }
  await vi.waitFor(async () => expect(JSON.stringify(await c.call('ListOffsets', list))).toContain('"errorCode":0'))
  const topics = [{ topic: 't', partitions: [{ partition: 0, partitionMaxBytes: 1000 }] }]
  c.send(FetchRequest, 12, { maxWaitMs, minBytes: 1, topics })
  const first = await Promise.race([
    c.nextFrame().then(
      () => 'answered' as const,
      () => 'closed' as const,
    ),
    c.closed.then(() => 'closed' as const),
  ])
  c.close()
  return first
}

test.skipIf(skipped)('connections.max.idle.ms closes a connection during a long poll, as in Apache Kafka', async () => {
  const port = Number(theirs.bootstrap.split(':')[1])
  const all = await Promise.all([port, ours.port].flatMap(p => [firstOf(p, 30_000), firstOf(p, 500)]))
  expect(all).toEqual(['closed', 'answered', 'closed', 'answered'])
})
