/** A sink whose consumer group still contains a member that was killed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAdmin } from '../../core/client/index.ts'
import { setLogSink } from '../../core/common/log.ts'
import { eventually, Rig } from './harness.ts'

setLogSink(() => undefined)

const rig = new Rig()
beforeAll(async () => {
  await rig.startBroker()
  await rig.startWorker()
})
afterAll(() => rig.close())

const CLIENT = new URL('../../core/client/index.ts', import.meta.url).href

/**
 * Joins the group in another process, and kills that process: the member does not leave. Returns
 * its id.
 */
async function killMember(groupId: string, topic: string): Promise<string> {
  const options = { bootstrapServers: [rig.broker!.address], groupId, sessionTimeoutMs: 9000 }
  const code = `
    import { createConsumer } from ${JSON.stringify(CLIENT)}
    const consumer = createConsumer(${JSON.stringify(options)})
    consumer.subscribe([${JSON.stringify(topic)}])
    while (consumer.assignment().length === 0) await consumer.poll(100)
    console.log(consumer.groupMetadata().memberId)
    for (;;) await consumer.poll(100)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [memberId] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  child.kill('SIGKILL')
  await once(child, 'exit')
  return memberId
}

test('the status names the member that the group waits for, until its session times out', async () => {
  const admin = createAdmin({ bootstrapServers: [rig.broker!.address] })
  await admin.createTopics([{ name: 'held', partitions: 1, replicationFactor: 1 }])
  await admin.close()
  const memberId = await killMember('connect-held', 'held')
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
