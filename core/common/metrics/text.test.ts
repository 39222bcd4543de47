import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defineMetrics, type Family, type Metric } from './metric.ts'
import { parseMetrics } from './test-support/parse-metrics.ts'
import { preferredFormat, type TextFormat, writeText } from './text.ts'

const METRICS = defineMetrics({
  jobs_total: ['counter', 'Jobs, of any\\kind.\nAll of them.', ['queue', 'topic']],
  depth: ['gauge', 'Depth.'],
})

async function text(families: Iterable<Family>, format: TextFormat = 'prometheus'): Promise<string> {
  let all = ''
  for await (const chunk of writeText(families, format)) all += chunk
  return all
}

test('families are written with help, type and escaped labels, but without empty labels', async () => {
  const families: Family[] = [
    {
      metric: METRICS.jobs_total,
      samples: [
        [['a"\\\nb', ''], 3],
        [['', 'x'], 0.5],
      ],
    },
    { metric: METRICS.depth, samples: [[[], Number.NaN]] },
  ]
  expect(await text(families)).toBe(
    `# HELP jobs_total Jobs, of any\\\\kind.\\nAll of them.
# TYPE jobs_total counter
jobs_total{queue="a\\"\\\\\\nb"} 3
jobs_total{topic="x"} 0.5
# HELP depth Depth.
# TYPE depth gauge
depth NaN
`,
  )
})

test('in OpenMetrics the family of a counter is named without _total, and the text ends with EOF', async () => {
  const unknown: Metric = { name: 'state', type: 'untyped', help: 'a "state"', labels: [] }
  const families: Family[] = [
    { metric: METRICS.jobs_total, samples: [[['q', ''], 3]] },
    { metric: unknown, samples: [[[], Number.POSITIVE_INFINITY]] },
  ]
  expect(await text(families, 'openmetrics')).toBe(
    `# HELP jobs Jobs, of any\\\\kind.\\nAll of them.
# TYPE jobs counter
jobs_total{queue="q"} 3
# HELP state a \\"state\\"
# TYPE state unknown
state +Inf
# EOF
`,
  )
})

test('a family without series is omitted', async () => {
  expect(await text([{ metric: METRICS.depth, samples: [] }])).toBe('')
})

test('any label value and any number can be read back from the text', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'binary', minLength: 1 }),
      fc.double({ noNaN: true, min: 0 }),
      async (queue, value) => {
        const parsed = parseMetrics(await text([{ metric: METRICS.jobs_total, samples: [[[queue, ''], value]] }]))
        expect(parsed.series('jobs_total')).toEqual([{ name: 'jobs_total', labels: { queue }, value }])
      },
    ),
  )
})

test('the event loop continues while many series are written', async () => {
  const samples = Array.from({ length: 10_000 }, (_, i) => [[`q${i}`, ''], i] as const)
  let turns = 0
  let running = true
  const count = () => {
    turns++
    if (running) setImmediate(count)
  }
  setImmediate(count)
  const parsed = parseMetrics(await text([{ metric: METRICS.jobs_total, samples }]))
  running = false
  expect(parsed.series('jobs_total')).toHaveLength(10_000)
  expect(turns).toBeGreaterThanOrEqual(9)
})

test.each([
  [undefined, 'prometheus'],
  ['*/*', 'prometheus'],
  ['text/plain;version=0.0.4;q=0.5,*/*;q=0.1', 'prometheus'],
  ['application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5', 'openmetrics'],
  ['application/openmetrics-text;q=0.2,text/plain;q=0.5', 'prometheus'],
  ['application/openmetrics-text;q=0', 'prometheus'],
])('the Accept header %s selects the format %s', (accept, format) => {
  expect(preferredFormat(accept)).toBe(format)
})

test.each([
  ['a 1\n', 'outside of its family'],
  ['# HELP a h\n# TYPE a gauge\na 1', 'no end'],
  ['# HELP a h\n# TYPE a gauge\na 1\na 2\n', 'twice'],
  ['# HELP a h\n# TYPE a gauge\na{x="1",} 1\n', 'not a line'],
  ['# HELP a h\n# TYPE a gauge\na{x="1\\t"} 1\n', 'not a line'],
  ['# HELP a h\n# TYPE a counter\na -1\n', 'negative'],
  ['# TYPE a gauge\na 1\n', 'not a line'],
  ['# HELP a h\n# TYPE a gauge\na 1\n# HELP a h\n# TYPE a gauge\n', 'twice'],
])('the strict parser rejects %j', (wrong, message) => {
  expect(() => parseMetrics(wrong)).toThrow(message)
})
