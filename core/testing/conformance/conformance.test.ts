import { expect, test } from 'vitest'
import { faultySink, type SinkFault, Target } from '../test-support/faulty-sink.ts'
import { faultySource, Numbers, type SourceFault } from '../test-support/faulty-source.ts'
import type { ConformanceCheck } from './check.ts'
import { sinkConformance } from './sink.ts'
import { sourceConformance } from './source.ts'

const RECORDS = 8
/**
 * The timeout of a check, in milliseconds. A correct connector needs less. It is short because a
 * check of some faulty connectors waits for the whole timeout.
 */
const TIMEOUT_MS = 1500
const STOP_MS = 400

function sourceChecks(fault?: SourceFault): ConformanceCheck[] {
  // All checks share this source. Each fixture resets it.
  const numbers = new Numbers(RECORDS)
  return sourceConformance({
    connector: faultySource(numbers, fault),
    fixture: () => {
      numbers.count = RECORDS
      return {
        config: {},
        records: RECORDS,
        produce: count => void (numbers.count += count),
        outage: { begin: () => void (numbers.available = false), end: () => void (numbers.available = true) },
      }
    },
    produces: true,
    outages: true,
    invalid: [{ config: { step: '0' }, key: 'step' }],
    failing: { unreachable: 'true', password: 'geheim-123' },
    timeoutMs: TIMEOUT_MS,
    stopWithinMs: STOP_MS,
  })
}

function sinkChecks(fault?: SinkFault): ConformanceCheck[] {
  let target = new Target()
  const connector = new Proxy(faultySink(target, fault), {
    construct: () => new (faultySink(target, fault))(),
  })
  return sinkConformance({
    connector,
    fixture: () => {
      target = new Target()
      return {
        config: {},
        written: () => target.written,
        outage: { begin: () => void (target.available = false), end: () => void (target.available = true) },
      }
    },
    record: n => ({ key: `k${n}`, value: n }),
    badRecord: { value: 'bad' },
    duplicates: 'never',
    outages: true,
    timeoutMs: TIMEOUT_MS,
    stopWithinMs: STOP_MS,
  })
}

/** Runs the only check whose name matches. Returns its error, or null if the check passes. */
async function errorOf(checks: readonly ConformanceCheck[], name: RegExp): Promise<unknown> {
  const found = checks.filter(check => name.test(check.name))
  expect(found, String(name)).toHaveLength(1)
  return found[0]!.run().then(
    () => null,
    (error: unknown) => error,
  )
}

for (const check of sourceChecks()) test(`a correct source passes the check: ${check.name}`, check.run)
for (const check of sinkChecks()) test(`a correct sink passes the check: ${check.name}`, check.run)

test.each<[SourceFault, RegExp]>([
  ['undocumented', /documented/],
  ['accepts everything', /error for step/],
  ['too many tasks', /taskConfigs/],
  ['numbers in task configurations', /taskConfigs/],
  ['ignores abort', /idle task stops at once/],
  ['stop throws', /stop of a task/],
  ['stop needs start', /without start/],
  ['wrong type', /records match their schemas/],
  ['offset with a date', /offsets are JSON/],
  ['ignores offsets', /resumes after the committed offset/],
  ['offset is ahead', /resumes after the committed offset/],
  ['repeats after a restart', /repeats no record after an orderly stop/],
  ['repeats', /returns every record once/],
  ['skips', /returns every record once/],
  ['reveals a secret', /secret/],
  ['fails during an outage', /unavailable/],
])('the suite rejects a source with the fault "%s"', async (fault, name) => {
  expect(await errorOf(sourceChecks(fault), name)).toBeInstanceOf(Error)
})

test.each<[SinkFault, RegExp]>([
  ['commits early', /commits only offsets of records/],
  ['commits what it buffers', /commits only offsets of records/],
  ['never flushes', /writes every record once/],
  ['forgets its buffer', /writes every record once/],
  ['forgets revoked partitions', /its partitions are lost/],
  ['writes twice', /writes every record once/],
  ['changes the order', /keeps the order/],
  ['fails on an empty batch', /empty batch/],
  ['fails on tombstones', /null value/],
  ['writes twice after a restart', /orderly stop/],
  ['fails on bad records', /dead letter queue/],
  ['drops bad records', /dead letter queue/],
  ['reports bad records late', /dead letter queue/],
  ['commits transformed positions', /record whose topic a transformation changes/],
  ['commits transformed offsets', /record whose topic a transformation changes/],
  ['closes transformed topics', /partition whose topic a transformation changes/],
  ['fails during an outage', /unavailable/],
  ['hangs in stop', /idle task stops at once/],
  ['writes its buffer in stop', /if the worker crashes/],
])('the suite rejects a sink with the fault "%s"', async (fault, name) => {
  expect(await errorOf(sinkChecks(fault), name)).toBeInstanceOf(Error)
})
