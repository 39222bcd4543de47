/**
 * Tests a crash that loses records whose offsets sinks have committed. When the sinks restart, they
 * read the new records at these offsets.
 */
import { readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createAdmin, createProducer } from '../../core/client/index.ts'
import { setLogSink } from '../../core/common/log.ts'
import { eventually, Rig } from './harness.ts'

setLogSink(() => undefined)

let rig: Rig
beforeEach(() => {
  rig = new Rig()
})
afterEach(() => rig.close())

async function send(...values: string[]): Promise<void> {
  const producer = createProducer({ bootstrapServers: [rig.broker!.address] })
  for (const value of values) await producer.send([{ topic: 't', key: null, value: Buffer.from(`"${value}"`) }])
  await producer.close()
}

async function committed(connector: string): Promise<unknown> {
  const admin = createAdmin({ bootstrapServers: [rig.broker!.address] })
  try {
    const found = await admin.listGroupOffsets(`connect-${connector}`)
    return found.map(({ offset, leaderEpoch }) => ({ offset, leaderEpoch }))
  } finally {
    await admin.close()
  }
}

const putBy = (name: string) => {
  const file = join(rig.dir, `${name}.log`)
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter(l => l.startsWith('put ')).map(l => JSON.parse(l.slice(4)) as string)
}

test('a sink detects that the log was truncated before its restart', { timeout: 120_000 }, async () => {
  const broker = await rig.startBroker()
  const port = Number(broker.address.split(':')[1])
  await rig.startWorker()
  await send('a', 'b', 'lost')
  const sink = { 'connector.class': 'TestSink', topics: 't' }
  const strict = { 'consumer.override.auto.offset.reset': 'none' }
  for (const name of ['follows', 'fails']) {
    await rig.create(name, { ...sink, 'log.file': join(rig.dir, `${name}.log`) })
    await eventually(() => committed(name), [{ offset: 3, leaderEpoch: 0 }])
    await rig.call('PUT', `/connectors/${name}/stop`)
    await rig.states(name, 'STOPPED')
  }
  await rig.worker!.close()
  await broker.close()
  rmSync(join(rig.dir, 'logs/.kafka_cleanshutdown'))
  const log = join(rig.dir, 'logs/t-0/00000000000000000000.log')
  truncateSync(log, statSync(log).size - 5)
  await rig.startBroker(port)
  await send('in its place', 'next')
  await rig.startWorker()
  await rig.call('PUT', '/connectors/fails/config', { ...sink, ...strict, 'log.file': join(rig.dir, 'fails.log') })
  for (const name of ['follows', 'fails']) await rig.call('PUT', `/connectors/${name}/resume`)
  await eventually(() => putBy('follows'), ['a', 'b', 'lost', 'in its place', 'next'])
  await eventually(() => committed('follows'), [{ offset: 4, leaderEpoch: 1 }])
  const { tasks } = await rig.states('fails', 'RUNNING', 'FAILED')
  expect(tasks[0]!.trace).toContain(
    'the log of t-0 was truncated at offset 2 (leader epoch 0), but the consumer was at offset 3',
  )
  expect(putBy('fails')).toEqual(['a', 'b', 'lost'])
  expect(await committed('fails')).toEqual([{ offset: 3, leaderEpoch: 0 }])
})
