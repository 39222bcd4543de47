/** Tests a sink whose consumer group still contains a member that was killed. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAdmin } from '../../core/client/index.ts'
import { setLogSink } from '../../core/common/log.ts'
import { eventually, Rig } from './harness.ts'
import { killMember } from './killed-member.ts'

setLogSink(() => undefined)

const rig = new Rig()
beforeAll(async () => {
  await rig.startBroker()
  await rig.startWorker()
})
afterAll(() => rig.close())

test('the status names the member for which the group waits, until the session of this member times out', async () => {
  const admin = createAdmin({ bootstrapServers: [rig.broker!.address] })
  await admin.createTopics([{ name: 'held', partitions: 1, replicationFactor: 1 }])
  await admin.close()
  const memberId = await killMember({
    bootstrap: rig.broker!.address,
    groupId: 'connect-held',
    topic: 'held',
    sessionTimeoutMs: 9000,
  })
  await rig.create('held', { 'connector.class': 'TestSink', topics: 'held' })
  const status = async () => (await rig.status('held')).tasks[0]
  const prefix = 'waiting for the group connect-held to rebalance'
  await eventually(async () => ((await status())?.trace ?? '').startsWith(prefix), true)
  const { state, trace } = (await status())!
  expect(state).toBe('RUNNING')
  expect(trace).toContain(`the other members are ${memberId} (`)
  await eventually(async () => (await status())?.trace, undefined)
  expect((await status())?.state).toBe('RUNNING')
}, 60_000)
