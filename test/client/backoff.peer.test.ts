import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { backoffMs } from '../../core/common/async/backoff.ts'
import { findKafkaLibs, skipWithout } from '../peers/tools.ts'

const libs = findKafkaLibs()

/** The initial delay, the maximum delay, and the number of failed attempts. */
const CASES = [
  ...[0, 1, 2, 3, 4, 5, 40, 1_000_000].map(attempts => [100, 1000, attempts] as const),
  ...[0, 7].flatMap(attempts => [
    [1000, 100, attempts] as const,
    [500, 500, attempts] as const,
    [0, 1000, attempts] as const,
    [50, 0, attempts] as const,
    [300, 60_000, attempts] as const,
  ]),
]

/** Returns the range of delays of Kafka's ExponentialBackoff for each case, from many samples. */
function javaRanges(): number[][] {
  const log4j = join(import.meta.dirname, '../peers/kafka/log4j2-tools.xml')
  const program = join(import.meta.dirname, 'java/Backoff.java')
  const args = [`-Dlog4j2.configurationFile=${log4j}`, '-cp', join(libs!, '*'), program, ...CASES.flat().map(String)]
  const java = spawnSync('java', args, { encoding: 'utf8' })
  if (java.status !== 0) throw new Error(java.stderr)
  const lines = java.stdout.trim().split('\n').slice(-CASES.length)
  return lines.map(line => line.split(' ').map(Number))
}

test.skipIf(skipWithout('Apache Kafka', libs !== null))(
  "the back-off has the delays of Kafka's ExponentialBackoff",
  () => {
    const ranges = javaRanges()
    expect(ranges).toHaveLength(CASES.length)
    CASES.forEach(([initialMs, maxMs, attempts], n) => {
      const [shortest, longest] = ranges[n]!
      const at = (random: number) => backoffMs(attempts, { initialMs, maxMs, random: () => random })
      // There are many samples, so the shortest delay is near the lower end of the range, and the
      // longest is near the upper end. The tolerance is 1% of the range.
      const tolerance = Math.ceil((at(1) - at(0)) / 100)
      const what = `initial ${initialMs}, maximum ${maxMs}, attempt ${attempts}`
      expect(shortest! - at(0), what).toBeGreaterThanOrEqual(0)
      expect(shortest! - at(0), what).toBeLessThanOrEqual(tolerance)
      expect(at(1) - longest!, what).toBeGreaterThanOrEqual(0)
      expect(at(1) - longest!, what).toBeLessThanOrEqual(tolerance)
    })
  },
)
