import { expect, test } from 'vitest'
import { createLogger, setLogSink } from '../../common/log.ts'
import type { Clients } from '../clients.ts'
import { MemoryLog } from '../test-support/memory-log.ts'
import { TopicLog, type TopicLogOptions } from './topic-log.ts'

setLogSink(() => undefined)

function topicLog(clients: Clients, more: Partial<TopicLogOptions> = {}): TopicLog {
  return new TopicLog({
    topic: 'c',
    topicKey: 'config.storage.topic',
    replicationKey: 'config.storage.replication.factor',
    partitions: 1,
    replicationFactor: 1,
    settings: {},
    producer: {},
    consumer: {},
    admin: {},
    clients,
    logger: createLogger('test.topic-log'),
    onRecord: () => undefined,
    ...more,
  })
}

test('after a permanent read failure, calls reject with its cause, and close still closes the clients', async () => {
  const log = new MemoryLog()
  const closed: string[] = []
  let poll: (() => Promise<never>) | null = null
  const counting = <T extends { close(): Promise<void> }>(name: string, client: T): T => ({
    ...client,
    close: async () => {
      closed.push(name)
      await client.close()
    },
  })
  const clients: Clients = {
    admin: () => counting('admin', log.admin()),
    producer: () => counting('producer', log.producer()),
    consumer: () => {
      const consumer = log.consumer()
      return { ...counting('consumer', consumer), poll: (...rest) => (poll ? poll() : consumer.poll(...rest)) }
    },
  }
  const failed = Promise.withResolvers<Error>()
  const topic = topicLog(clients, { onFailure: failed.resolve })
  await topic.start()
  poll = () => Promise.reject(new Error('not authorized'))
  await topic.append([{ key: 'k', value: 'v' }])
  expect((await failed.promise).message).toBe('not authorized')
  await expect(topic.readToEnd()).rejects.toThrow('not authorized')
  await topic.close()
  await topic.close()
  expect(closed.sort()).toEqual(['admin', 'consumer', 'producer'])
})

test('a log that has not been started, or that is closed, rejects calls with MR_WORKER_STORE_CLOSED', async () => {
  const topic = topicLog(new MemoryLog())
  await expect(topic.readToEnd()).rejects.toMatchObject({ code: 'MR_WORKER_STORE_CLOSED' })
  await topic.close()
  await expect(topic.append([])).rejects.toMatchObject({ code: 'MR_WORKER_STORE_CLOSED' })
})
