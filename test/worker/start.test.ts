import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createProducer } from '../../core/client/index.ts'
import { freePort } from '../../core/common/free-port.ts'
import { startWorker } from '../../core/worker/worker.ts'
import { eventually, Rig, rest } from './harness.ts'

let rig: Rig | null = null
afterEach(() => rig?.close())

test('a worker waits for its broker, reports that it waits, and becomes ready when the broker can be reached', async () => {
  rig = new Rig()
  const port = await freePort()
  const listening = Promise.withResolvers<string>()
  const started = startWorker(rig.properties({ 'bootstrap.servers': `127.0.0.1:${port}` }), {
    mode: 'distributed',
    onListening: listening.resolve,
  })
  const url = await listening.promise
  const message = async () => ((await rest(url, 'GET', '/health')).body as { message: string }).message
  await eventually(async () => (await message()).includes('ECONNREFUSED'), true)
  expect((await rest(url, 'GET', '/connectors')).status).toBe(503)
  await rig.startBroker(port)
  rig.worker = await started
  expect((await rig.call('GET', '/health')).status).toBe(200)
  await rig.create('first', { 'connector.class': 'TestSource' })
  await rig.states('first', 'RUNNING', 'RUNNING')
})

test('the start of a worker can be aborted', async () => {
  rig = new Rig()
  const abort = new AbortController()
  const started = startWorker(rig.properties(), {
    mode: 'distributed',
    signal: abort.signal,
    onListening: () => abort.abort(),
  })
  await expect(started).rejects.toMatchObject({ code: 'MR_WORKER_ABORTED' })
})

test('the error for invalid keys and unknown converters names all of them', async () => {
  rig = new Rig()
  const bad = startWorker(rig.properties({ 'offset.flush.interval.ms': 'x', 'task.isolation': 'none' }), {
    mode: 'distributed',
  })
  await expect(bad).rejects.toMatchObject({
    errors: [{ key: 'offset.flush.interval.ms' }, { key: 'task.isolation' }],
  })
  await rig.startBroker()
  const unknown = startWorker(rig.properties({ 'key.converter': 'Nope', 'value.converter.schemas.enable': 'maybe' }), {
    mode: 'distributed',
  })
  await expect(unknown).rejects.toThrow(/no converter is named Nope[\s\S]*value\.converter\.schemas\.enable/)
})

test('a replication factor that the cluster cannot have is rejected, and the error names the key', async () => {
  rig = new Rig()
  await rig.startBroker()
  const started = rig.startWorker({ 'config.storage.replication.factor': '3' })
  await expect(started).rejects.toMatchObject({
    code: 'MR_WORKER_TOPIC_CREATE',
    message: expect.stringContaining('config.storage.replication.factor'),
  })
})

test('a standalone worker gets its connectors from files, stores offsets in a file, and resumes after a restart', async () => {
  rig = new Rig()
  const broker = await rig.startBroker()
  const file = join(rig.dir, 'in.txt')
  writeFileSync(file, 'a\nb\n')
  const properties = {
    ...rig.properties(),
    'bootstrap.servers': broker.address,
    'offset.storage.file.filename': join(rig.dir, 'offsets'),
  }
  const connectorConfigs = [{ name: 'lines', 'connector.class': 'FileStreamSource', topic: 'lines', file }]
  const offsets = async () => (await rig!.call('GET', '/connectors/lines/offsets')).body
  const at = (position: number) => ({ offsets: [{ partition: { filename: file }, offset: { position } }] }) as unknown
  rig.worker = await startWorker(properties, { mode: 'standalone', connectorConfigs })
  await eventually(offsets, at(4))
  await rig.worker.close()
  writeFileSync(file, 'a\nb\nc\n')
  const rests = { name: 'rests', 'connector.class': 'TestSource' }
  rig.worker = await startWorker(properties, {
    mode: 'standalone',
    connectorConfigs: [...connectorConfigs, rests],
    initialStates: { rests: 'STOPPED' },
  })
  await eventually(offsets, at(6))
  await rig.states('rests', 'STOPPED')
})

test('a standalone worker rejects an invalid connector file with the reason', async () => {
  rig = new Rig()
  const broker = await rig.startBroker()
  const properties = {
    ...rig.properties(),
    'bootstrap.servers': broker.address,
    'offset.storage.file.filename': join(rig.dir, 'offsets'),
  }
  const connectorConfigs = [{ name: 'lines', 'connector.class': 'FileStreamSource' }]
  await expect(startWorker(properties, { mode: 'standalone', connectorConfigs })).rejects.toThrow(
    /Missing required configuration "topic"/,
  )
})

test('when a worker starts, it deletes the statuses of connectors that no longer exist', async () => {
  rig = new Rig()
  await rig.startBroker()
  await rig.startWorker()
  await rig.create('kept', { 'connector.class': 'TestSource' })
  await rig.states('kept', 'RUNNING', 'RUNNING')
  await rig.worker?.close()
  const ghost = JSON.stringify({ state: 'RUNNING', trace: null, worker_id: 'w:1', generation: 0, version: '1' })
  const producer = createProducer({ bootstrapServers: [rig.broker!.address] })
  const keys = ['status-connector-ghost', 'status-task-ghost-0', 'status-task-kept-7']
  await producer.send(keys.map(key => ({ topic: 'rig-status', key: Buffer.from(key), value: Buffer.from(ghost) })))
  await producer.close()
  await rig.startWorker()
  expect((await rig.call('GET', '/connectors/ghost/status')).status).toBe(404)
  await rig.states('kept', 'RUNNING', 'RUNNING')
})

test('a running connector keeps its type and its offsets if the file of its secrets is deleted', async () => {
  rig = new Rig()
  const secrets = join(rig.dir, 'secrets.properties')
  const heal = join(rig.dir, 'heal')
  writeFileSync(secrets, 'word=geheimnis\n')
  await rig.startBroker()
  await rig.startWorker({ 'config.providers': 'file', 'config.providers.file.class': 'FileConfigProvider' })
  const config = { 'task.mode': 'counts', topic: 't', 'heal.file': heal, secret: `\${file:${secrets}:word}` }
  await rig.create('reads', { 'connector.class': 'TestSource', ...config })
  await rig.states('reads', 'RUNNING', 'RUNNING')
  rmSync(secrets)
  writeFileSync(heal, '')
  await eventually(async () => (await rig!.call('GET', '/connectors/reads/topics')).body, {
    reads: { topics: ['t'] },
  })
  expect(rig.worker!.herder.connectorStatus('reads').type).toBe('source')
  await rig.call('PUT', '/connectors/reads/stop')
  await rig.states('reads', 'STOPPED')
  writeFileSync(secrets, 'word=geheimnis\n')
  const offsets = async () => (await rig!.call('GET', '/connectors/reads/offsets')).body as { offsets: unknown[] }
  expect((await offsets()).offsets).toHaveLength(1)
})
