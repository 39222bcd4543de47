import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SourceHarness, sourceConformance } from 'millrace/testing'
import { HttpSource } from '../src/connector.ts'
import { startApi } from './api-server.ts'

const ITEMS = 10

test('the source reads the items page by page and resumes after the last one', async () => {
  const api = await startApi(3)
  const config = { url: api.url, topic: 'items', 'page.size': '2', 'poll.interval.ms': '20' }
  await using source = new SourceHarness(HttpSource, { config })
  await source.start()
  const records = await source.take(3)
  assert.deepEqual(records[0]!.value, { id: 1, name: 'item 1' })
  await source.committed()
  assert.deepEqual(source.offset({ url: api.url }), { after: 3 })

  await source.stop()
  api.state.count = 4
  await source.start()
  assert.equal((await source.take(4)).at(-1)!.key, 4)
  api.close()
})

const conformance = sourceConformance({
  connector: HttpSource,
  fixture: async () => {
    const api = await startApi(ITEMS)
    return {
      config: { url: api.url, topic: 'items', 'page.size': '3', 'poll.interval.ms': '20', token: 'secret-token' },
      records: ITEMS,
      produce: count => {
        api.state.count += count
      },
      outage: {
        begin: () => {
          api.state.available = false
        },
        end: () => {
          api.state.available = true
        },
      },
      dispose: api.close,
    }
  },
  produces: true,
  outages: true,
  invalid: [
    { config: { topic: '' }, key: 'topic' },
    { config: { 'page.size': '0' }, key: 'page.size' },
    { config: { url: 'http://127.0.0.1:1/' }, key: 'url' },
  ],
  failing: { 'page.size': '1', url: 'http://127.0.0.1:1/' },
})
for (const check of conformance) test(check.name, check.run)
