import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { createLogger } from '../log.ts'
import { defineMetrics, type Sample } from './metric.ts'
import { MetricsServer } from './metrics-server.ts'

const { many } = defineMetrics({ many: ['gauge', 'Many series.', ['label']] })
const logger = createLogger('test.metrics')
const address = [{ host: '127.0.0.1', port: 0 }]

test.each([
  ['nothing', false],
  ['slowly', true],
])('a client that reads %s is disconnected, and other clients are answered', async (_, reads) => {
  let written = 0
  const abandoned = Promise.withResolvers<void>()
  // This is far more than the buffers of a connection can hold.
  function* samples(): Generator<Sample> {
    try {
      for (; written < 400_000; written++) yield [[`a label that makes the line longer, number ${written}`], 1]
    } finally {
      abandoned.resolve()
    }
  }
  const collect = async () => [{ metric: many, samples: samples() }]
  const server = new MetricsServer({ addresses: address, collect, logger, limitMs: 500 })
  const [url] = await server.start()
  const stalled = connect(Number(new URL(url!).port), '127.0.0.1')
  stalled.pause()
  const reading = setInterval(() => reads && stalled.read(), 10)
  stalled.on('error', () => {})
  stalled.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n')
  const head = await fetch(url!, { method: 'HEAD' })
  expect(head.status).toBe(200)
  await abandoned.promise
  expect(written).toBeLessThan(400_000)
  clearInterval(reading)
  stalled.destroy()
  await server.close()
})

test('if collecting metrics fails, the response has status 500, and the next scrape works', async () => {
  let fails = true
  const collect = async () => {
    if (fails) throw new Error('no')
    return [{ metric: many, samples: [[['x'], 1]] as Sample[] }]
  }
  const server = new MetricsServer({ addresses: address, collect, logger })
  const [url] = await server.start()
  expect((await fetch(url!)).status).toBe(500)
  fails = false
  expect(await (await fetch(url!)).text()).toContain('many{label="x"} 1\n')
  await server.close()
})
