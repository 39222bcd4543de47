import { afterEach, expect, test } from 'vitest'
import { startTestBroker } from '../../core/broker/test-support/test-broker.ts'
import { Cluster } from '../../core/client/cluster/cluster.ts'
import { GroupCoordinator, type GroupProtocol, Membership } from '../../core/client/index.ts'
import { commonOptions } from '../../core/client/options.ts'
import { setLogLevel } from '../../core/common/log.ts'

setLogLevel('millrace.client', 'OFF')

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const f of cleanups.splice(0).reverse()) await f()
})

test('a leader whose assignment fails reports the error once, and joins again after the next tick', async () => {
  const broker = await startTestBroker()
  cleanups.push(() => broker.close())
  const cluster = new Cluster(commonOptions({ bootstrapServers: [broker.bootstrap] }, 'test'), {
    autoCreateTopics: false,
  })
  cleanups.push(() => cluster.close(new Error('closed')))
  let assigned = 0
  let joined = 0
  const protocol: GroupProtocol = {
    protocolType: 'test',
    metadata: () => [{ name: 'one', metadata: Buffer.alloc(0) }],
    async assign(_protocol, members) {
      if (assigned++ === 0) throw new Error('not this time')
      return new Map(members.map(m => [m.memberId, Buffer.from('all')]))
    },
    onPrepare: async () => undefined,
    onJoined: async () => void joined++,
  }
  let wake = () => undefined as void
  const membership = new Membership(
    new GroupCoordinator(cluster, 'g'),
    protocol,
    {
      groupInstanceId: null,
      sessionTimeoutMs: 10_000,
      heartbeatIntervalMs: 3000,
      maxPollIntervalMs: 60_000,
      rebalanceTimeoutMs: 10_000,
    },
    () => wake(),
  )
  cleanups.push(() => membership.close())
  const errors: string[] = []
  while (joined === 0) {
    const event = new Promise<void>(resolve => {
      wake = resolve
    })
    await membership.tick().then(
      () => (joined === 0 ? event : undefined),
      error => errors.push(error.message),
    )
  }
  expect(errors).toEqual(['not this time'])
})
