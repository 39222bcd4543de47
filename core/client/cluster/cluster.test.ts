import { afterEach, expect, test } from 'vitest'
import { nextTurn } from '../../common/async/next-turn.ts'
import { sleep } from '../../common/async/sleep.ts'
import { setLogLevel } from '../../common/log.ts'
import { ApiKey } from '../../protocol/api-keys.ts'
import { commonOptions } from '../options.ts'
import { SimBroker, type SimOptions } from '../test-support/sim-broker.ts'
import type { ClientOptions } from '../types.ts'
import { Cluster } from './cluster.ts'

setLogLevel('millrace.client', 'OFF')

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const f of cleanups.splice(0).reverse()) await f()
})

async function sim(options: SimOptions): Promise<SimBroker> {
  const broker = await SimBroker.start(options)
  cleanups.push(() => broker.stop())
  return broker
}

function cluster(bootstrapServers: readonly string[], more: Partial<ClientOptions> = {}): Cluster {
  const quick = { retryBackoffMs: 1, retryBackoffMaxMs: 5, reconnectBackoffMs: 1, reconnectBackoffMaxMs: 5 }
  const c = new Cluster(commonOptions({ bootstrapServers, ...quick, ...more }, 'test'), { autoCreateTopics: false })
  cleanups.push(() => c.close(new Error('closed')))
  return c
}

const gone = () => new Error('not there')

test('concurrent refreshes share one request', async () => {
  const broker = await sim({ topics: { t: 1 } })
  let requests = 0
  broker.options = { ...broker.options, onRequest: key => key === ApiKey.Metadata && ++requests > 9 }
  const c = cluster(broker.bootstrap)
  c.track(['t'])
  await Promise.all([c.refresh(), c.refresh(), c.refresh()])
  expect(requests).toBe(1)
  expect(c.metadata.topic('t')!.partitions).toHaveLength(1)
})

test('if a topic is added during a refresh, refresh() waits for another refresh, which includes the topic', async () => {
  const broker = await sim({ topics: { t: 1, u: 1 } })
  const c = cluster(broker.bootstrap)
  c.track(['t'])
  const first = c.refresh()
  await nextTurn()
  c.track(['u'])
  await Promise.all([first, c.refresh()])
  expect(c.metadata.topic('u')).not.toBeNull()
})

test('the client uses the bootstrap servers again if no known broker is available', async () => {
  const [a, b] = [await sim({ topics: { t: 1 } }), await sim({ topics: { t: 2 } })]
  // The bootstrap servers are tried in random order. Repeat until a client has connected to `a`
  // first, so that it knows only `a`.
  let c: Cluster
  do {
    c = cluster([...a.bootstrap, ...b.bootstrap])
    c.track(['t'])
    await c.refresh()
  } while (c.metadata.topic('t')!.partitions.length !== 1)
  await a.stop()
  await c.refresh()
  expect(c.metadata.topic('t')!.partitions).toHaveLength(2)
  await b.stop()
  await expect(c.refresh()).rejects.toMatchObject({ code: 'MR_CLIENT_NO_BROKER', retriable: true })
})

test('a refresh in the background is retried until it succeeds', async () => {
  const broker = await sim({ topics: { t: 1 } })
  const c = cluster(broker.bootstrap)
  c.track(['t'])
  await broker.stop()
  c.refreshSoon()
  const updated = new Promise<void>(resolve => c.onUpdate(resolve))
  await sleep(30)
  await broker.restart()
  await updated
  expect(c.metadata.topic('t')).not.toBeNull()
})

test('the metadata of a missing topic is requested until the topic exists', async () => {
  const broker = await sim({})
  const c = cluster(broker.bootstrap)
  c.track(['later'])
  await c.refresh()
  const updated = new Promise<void>(resolve => c.onUpdate(() => c.metadata.topic('later') && resolve()))
  broker.createTopic('later', 1)
  await updated
})

test('a wait for metadata ends when its timeout passes, its signal aborts or the client closes', async () => {
  const broker = await sim({})
  const c = cluster(broker.bootstrap)
  c.track(['never'])
  await expect(c.until(() => c.metadata.topic('never'), 20, gone)).rejects.toThrow('not there')
  await expect(c.until(() => null, 60_000, gone, AbortSignal.timeout(20))).rejects.toThrow()
  const waiting = c.until(() => null, 60_000, gone)
  c.close(new Error('closed'))
  await expect(waiting).rejects.toThrow('closed')
  await expect(c.refresh()).rejects.toThrow('closed')
})

test('the metadata of new topics is requested at once, before metadata.max.age.ms has passed', async () => {
  const broker = await sim({ topics: { t: 1, u: 1 } })
  const c = cluster(broker.bootstrap)
  c.track(['t'])
  await c.refresh()
  const updated = new Promise<void>(resolve => c.onUpdate(() => c.metadata.topic('u') && resolve()))
  c.setTracked(['u'])
  await updated
})

test('a request to an unknown broker refreshes the metadata', async () => {
  const broker = await sim({ topics: { t: 1 } })
  const c = cluster(broker.bootstrap)
  await expect(c.connection(1, 'control')).rejects.toMatchObject({ code: 'MR_CLIENT_UNKNOWN_BROKER', retriable: true })
  await new Promise<void>(resolve => c.onUpdate(resolve))
  expect((await c.connection(1, 'control')).closed).toBe(false)
})

test('a wait for a missing topic refreshes the metadata with an increasing back-off', async () => {
  const broker = await sim({})
  let requests = 0
  broker.options = { ...broker.options, onRequest: key => key === ApiKey.Metadata && ++requests > 1e6 }
  const c = cluster(broker.bootstrap, { retryBackoffMs: 10, retryBackoffMaxMs: 10_000 })
  c.track(['never'])
  await expect(c.until(() => null, 500, gone)).rejects.toThrow('not there')
  // Refreshes are due after 10, 20, 40, 80, 160 and 320 ms, plus or minus 20%. Without the increase
  // there would be 50 refreshes.
  expect(requests).toBeLessThan(15)
})
