import { expect, test } from 'vitest'
import type { Logger } from '../../../common/log.ts'
import type { SourceLag } from '../../../connect/plugin-metrics.ts'
import { lagReader } from './source-lag.ts'

function reader(lag?: () => unknown) {
  const warnings: string[] = []
  const logger = { warn: (text: string) => void warnings.push(text) } as unknown as Logger
  return { warnings, read: lagReader(lag ? { lag: lag as () => SourceLag } : {}, logger) }
}

test("a source's lag is exported, and a source without `lag` has no lag", () => {
  expect(reader().read()).toBeNull()
  expect(reader(() => null).read()).toBeNull()
  const sample = reader(() => ({ bytes: 5, since: null })).read()
  expect(sample).toEqual({
    bytes: 5,
    records: null,
    caughtUp: true,
    since: null,
    measuredAt: expect.any(Number),
    partitions: [],
  })
})

test.each([
  ['x', 'bytes must be null or at least 0, and since must be null or a number'],
  [{ bytes: Number.NaN, since: 1 }, 'bytes must be null or at least 0, and since must be null or a number'],
  [{ bytes: -1, since: null }, 'bytes must be null or at least 0, and since must be null or a number'],
  [{ bytes: 1 }, 'bytes must be null or at least 0, and since must be null or a number'],
])('the invalid lag %o is logged once and not exported', (lag, message) => {
  const r = reader(() => lag)
  expect(r.read()).toBeNull()
  expect(r.read()).toBeNull()
  expect(r.warnings).toEqual([`the method lag of the task failed, so the lag is not exported: ${message}`])
})

test('if `lag` throws, the lag is null and the error is logged', () => {
  const r = reader(() => {
    throw new Error('no connection')
  })
  expect(r.read()).toBeNull()
  expect(r.warnings[0]).toContain('no connection')
})
