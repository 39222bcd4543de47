import { expect, test } from 'vitest'
import { processFamilies } from './process-metrics.ts'

test('scrapes that follow each other at once have the event loop delay of the last measurement', async () => {
  await processFamilies()
  const scrapes = [await processFamilies(), ...(await Promise.all([processFamilies(), processFamilies()]))]
  for (const families of scrapes) {
    const values = families.flatMap(f => [...f.samples].map(([, value]) => [f.metric.name, value] as const))
    for (const [name, value] of values) {
      expect(value, name).toBeGreaterThanOrEqual(0)
      // the minimum of no values is 2^63 ns
      if (name.startsWith('nodejs_eventloop_lag_')) expect(value, name).toBeLessThan(9e9)
    }
  }
  expect(scrapes[0]!.map(f => f.metric.name)).toContain('nodejs_eventloop_lag_seconds')
})
