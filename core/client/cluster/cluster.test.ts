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

test('refreshes that are asked for together share one request', async () => {
  const broker = await sim({ topics: { t: 1 } })
  let requests = 0
  broker.options = { ...broker.options, onRequest: key => key === ApiKey.Metadata && ++requests > 9 }
  const c = cluster(broker.bootstrap)
  c.track(['t'])
  await Promise.all([c.refresh(), c.refresh(), c.refresh()])
  expect(requests).toBe(1)
  expect(c.metadata.topic('t')!.partitions).toHaveLength(1)
})

test('a topic that is tracked while a refresh is under way is in the next one, which the waiter gets', async () => {
  const broker = await sim({ topics: { t: 1, u: 1 } })
  const c = cluster(broker.bootstrap)
  c.track(['t'])
  const first = c.refresh()
  await nextTurn()
  c.track(['u'])
  await Promise.all([first, c.refresh()])
  expect(c.metadata.topic('u')).not.toBeNull()
})

test('when all known brokers are gone the bootstrap list is tried again', async () => {
  const [a, b] = [await sim({ topics: { t: 1 } }), await sim({ topics: { t: 2 } })]
  // The bootstrap list is tried in any order: one that began with `a` is wanted, and knows `a`
  // only.
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

test('a refresh in the background is repeated until it works', async () => {
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

test('a topic that is missing is looked for until it is there', async () => {
  const broker = await sim({})
  const c = cluster(broker.bootstrap)
  c.track(['later'])
  await c.refresh()
  const updated = new Promise<void>(resolve => c.onUpdate(() => c.metadata.topic('later') && resolve()))
  broker.createTopic('later', 1)
  await updated
})

test('waiting for metadata ends with its time, its signal, or the client', async () => {
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

test('topics that take the place of others are asked for at once, not when the metadata is old', async () => {
  const broker = await sim({ topics: { t: 1, u: 1 } })
  const c = cluster(broker.bootstrap)
  c.track(['t'])
  await c.refresh()
  const updated = new Promise<void>(resolve => c.onUpdate(() => c.metadata.topic('u') && resolve()))
  c.setTracked(['u'])
  await updated
})

test('a broker that is not in the metadata is looked for', async () => {
  const broker = await sim({ topics: { t: 1 } })
  const c = cluster(broker.bootstrap)
  await expect(c.connection(1, 'control')).rejects.toMatchObject({ code: 'MR_CLIENT_UNKNOWN_BROKER', retriable: true })
  await new Promise<void>(resolve => c.onUpdate(resolve))
  expect((await c.connection(1, 'control')).closed).toBe(false)
})

test('whoever waits for what does not come asks less and less often', async () => {
  const broker = await sim({})
  let requests = 0
  broker.options = { ...broker.options, onRequest: key => key === ApiKey.Metadata && ++requests > 1e6 }
  const c = cluster(broker.bootstrap, { retryBackoffMs: 10, retryBackoffMaxMs: 10_000 })
  c.track(['never'])
  await expect(c.until(() => null, 500, gone)).rejects.toThrow('not there')
  // After 10, 20, 40, 80, 160, 320 ms by 20% more or less, where every 10 ms would be 50.
  expect(requests).toBeLessThan(15)
})
