import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PeerKafka, startPeerKafka } from '../../../test/peers/servers.ts'
import { findKafkaLibs, skipWithout } from '../../../test/peers/tools.ts'
import { OddClient } from '../test-support/compare-brokers.ts'
import { ODD_REQUESTS } from '../test-support/odd-requests/all.ts'
import type { OddRequest } from '../test-support/odd-requests/odd-request.ts'
import { startTestBroker, type TestBroker } from '../test-support/test-broker.ts'

/**
 * These tests send empty lists, nulls, unknown names and ids, duplicates, and negative or unknown
 * values to both brokers. The responses must be equal.
 */
const skipped = skipWithout('Apache Kafka', findKafkaLibs() !== null)

let theirs: PeerKafka
let ours: TestBroker
let a: OddClient
let b: OddClient
beforeAll(async () => {
  if (skipped) return
  theirs = await startPeerKafka()
  ours = await startTestBroker({ 'node.id': '1', 'offsets.topic.num.partitions': '4' })
  a = new OddClient(Number(theirs.bootstrap.split(':')[1]))
  b = new OddClient(ours.port)
  await Promise.all([a.prepare(), b.prepare()])
})
afterAll(async () => {
  if (skipped) return
  a.close()
  b.close()
  await ours.close()
  await theirs.stop()
})

const shown = ({ api, version, input }: OddRequest) =>
  `${api} v${version ?? 'max'} ${typeof input === 'function' ? input : JSON.stringify(input)}`.slice(0, 300)

/** All requests, grouped into runs of consecutive requests of the same API. */
const runs: OddRequest[][] = []
for (const r of ODD_REQUESTS) {
  const last = runs.at(-1)
  if (last?.at(-1)?.api === r.api) last.push(r)
  else runs.push([r])
}

for (const [i, run] of runs.entries()) {
  test.skipIf(skipped)(`${i + 1}: ${run[0]!.api} answers ${run.length} unusual requests as Apache does`, async () => {
    for (const request of run) {
      const our = await b.ask(request)
      if (request.differs) expect(our, shown(request)).toBeTypeOf('object')
      else expect(our, shown(request)).toEqual(await a.ask(request))
    }
  })
}
