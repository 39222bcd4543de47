import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, Rig } from './harness.ts'

const rig = new Rig()
beforeAll(async () => {
  await rig.startBroker()
  await rig.startWorker()
})
afterAll(() => rig.close())

test('a worker resumes after an outage of its broker, with the changes that were made meanwhile', async () => {
  await rig.create('steady', { 'connector.class': 'TestSource', 'task.mode': 'counts', topic: 'steady' })
  await rig.states('steady', 'RUNNING', 'RUNNING')
  const port = rig.broker!.port
  await rig.broker?.close()
  // Without a broker, the worker answers from memory, and writes status changes later.
  expect((await rig.call('GET', '/connectors')).body).toEqual(['steady'])
  expect((await rig.call('POST', '/connectors/steady/tasks/0/restart')).status).toBe(204)
  await eventually(async () => (await rig.call('GET', '/health')).status, 200)
  await rig.startBroker(port)
  await rig.create('later', { 'connector.class': 'TestSource' })
  await rig.states('later', 'RUNNING', 'RUNNING')
  await rig.states('steady', 'RUNNING', 'RUNNING')
  expect((await rig.call('PUT', '/connectors/steady/pause')).status).toBe(202)
  await rig.states('steady', 'PAUSED', 'PAUSED')
  await rig.worker?.close()
  await rig.startWorker()
  await rig.states('steady', 'PAUSED', 'PAUSED')
  const offsets = async () => (await rig.call('GET', '/connectors/steady/offsets')).body
  await eventually(offsets, { offsets: [{ partition: { s: 'x' }, offset: { n: 5 } }] })
})
