import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createProducer } from '../client/index.ts'
import { startTestBroker } from './test-broker.ts'
import { startTestWorker } from './test-worker.ts'

test('a test worker runs a source and a sink on a test broker', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-embedded-'))
  try {
    await using broker = await startTestBroker()
    await using worker = await startTestWorker({ bootstrapServers: broker.bootstrapServers })
    const [file, out] = [join(dir, 'in.txt'), join(dir, 'out.txt')]
    appendFileSync(file, 'one\ntwo\n')
    await worker.create('in', { 'connector.class': 'FileStreamSource', file, topic: 'lines' })
    await worker.create('out', { 'connector.class': 'FileStreamSink', file: out, topics: 'lines' })
    await expect.poll(() => readFileSync(out, 'utf8')).toBe('one\ntwo\n')
    await expect(worker.create('bad', { 'connector.class': 'FileStreamSource' })).rejects.toThrow('topic')
    await worker.delete('in')
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

test('a broker that is killed and started again has the same port and data', async () => {
  await using broker = await startTestBroker({ settings: { 'num.partitions': '1' } })
  const { port } = broker
  const producer = createProducer({ bootstrapServers: [broker.bootstrapServers] })
  const send = (text: string) => producer.send([{ topic: 't', key: null, value: text }])
  expect((await send('one'))[0]).toMatchObject({ offset: 0 })
  await broker.kill()
  await broker.start()
  expect(broker.port).toBe(port)
  expect((await send('two'))[0]).toMatchObject({ offset: 1 })
  await producer.close()
})

test('startTestBroker rejects with the reason if the broker cannot start', async () => {
  await expect(startTestBroker({ settings: { 'num.partitions': 'x' } })).rejects.toThrow(
    /could not start[\s\S]*num\.partitions/,
  )
})
