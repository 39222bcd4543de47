/**
 * Tests topics that cannot be read or written. The connector reports this at once, and creates no
 * topic by mistake.
 */
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

async function topicNames(): Promise<string[]> {
  const admin = createAdmin({ bootstrapServers: [rig.broker!.address] })
  try {
    return (await admin.listTopics()).map(t => t.name)
  } finally {
    await admin.close()
  }
}

async function traceOf(name: string): Promise<string> {
  return (await rig.status(name)).tasks[0]?.trace ?? ''
}

for (const [i, [topics, named]] of (
  [
    ['event.member.*', 'event.member.*'],
    ['a b', 'a b'],
    ['fine,a/b', 'a/b'],
    ['.', '.'],
    ['..', '..'],
    ['x'.repeat(250), 'x'.repeat(250)],
  ] as const
).entries()) {
  test(`a sink of ${topics.slice(0, 20)} fails at once with an error that names the topic`, async () => {
    await rig.create(`sink-${i}`, { 'connector.class': 'TestSink', topics })
    await rig.states(`sink-${i}`, 'RUNNING', 'FAILED')
    expect(await traceOf(`sink-${i}`)).toContain(`invalid topics: [${named}]`)
    await rig.call('DELETE', `/connectors/sink-${i}`)
  })
}

test('the status of a sink whose topics.regex matches no topic says so, until a topic matches', async () => {
  await rig.create('waiting', {
    'connector.class': 'TestSink',
    'topics.regex': 'awaited.*',
    'consumer.override.metadata.max.age.ms': '100',
  })
  await eventually(async () => (await traceOf('waiting')).includes('no topic matches topics.regex'), true)
  expect((await rig.status('waiting')).tasks[0]!.state).toBe('RUNNING')
  const admin = createAdmin({ bootstrapServers: [rig.broker!.address] })
  await admin.createTopics([{ name: 'awaited-1', partitions: 1, replicationFactor: 1 }])
  await admin.close()
  await eventually(() => traceOf('waiting'), '')
  await rig.call('DELETE', '/connectors/waiting')
})

test('an invalid name of a dead letter queue fails the task, and the error contains the name', async () => {
  const queue = { 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': 'dead letters' }
  await rig.create('dlq', { 'connector.class': 'TestSink', topics: 'in', ...queue })
  await rig.states('dlq', 'RUNNING', 'FAILED')
  expect(await traceOf('dlq')).toContain('dead letters')
  await rig.call('DELETE', '/connectors/dlq')
})

for (const [i, props] of [
  {},
  { 'topic.creation.default.partitions': '1', 'topic.creation.default.replication.factor': '1' },
].entries()) {
  test(`a source that writes to a topic that cannot be created fails with an error that names the topic (${Object.keys(props).length} keys of topic.creation)`, async () => {
    const name = `source-${i}`
    await rig.create(name, { 'connector.class': 'TestSource', 'task.mode': 'counts', topic: 'not a topic', ...props })
    await rig.states(name, 'RUNNING', 'FAILED')
    expect(await traceOf(name)).toContain('not a topic')
    await rig.call('DELETE', `/connectors/${name}`)
  })
}

test('the connectors of the tests above have created no topic', async () => {
  const names = await topicNames()
  expect(names.filter(n => !/^(rig-|__)/.test(n)).sort()).toEqual(['awaited-1', 'fine'])
})
