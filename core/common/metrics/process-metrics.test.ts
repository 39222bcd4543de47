import { expect, test, vi } from 'vitest'
import { processFamilies } from './process-metrics.ts'

test('scrapes in quick succession report the last measured event loop delay', async () => {
  await processFamilies()
  const scrapes = [await processFamilies(), ...(await Promise.all([processFamilies(), processFamilies()]))]
  for (const families of scrapes) {
    const values = families.flatMap(f => [...f.samples].map(([, value]) => [f.metric.name, value] as const))
    for (const [name, value] of values) {
      expect(value, name).toBeGreaterThanOrEqual(0)
      // The minimum of an empty measurement is 2^63 ns.
      if (name.startsWith('nodejs_eventloop_lag_')) expect(value, name).toBeLessThan(9e9)
    }
  }
  expect(scrapes[0]!.map(f => f.metric.name)).toContain('nodejs_eventloop_lag_seconds')
})

test('scrapes after the first one contain the percentiles of the event loop delay', async () => {
  await processFamilies()
  await vi.waitFor(async () => {
    const names = (await processFamilies()).map(f => f.metric.name)
    expect(names).toContain('nodejs_eventloop_lag_p99_seconds')
  })
})
