import { afterEach, expect, test } from 'vitest'
import { setLogLevel } from '../../common/log.ts'
import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { SimBroker, type SimOptions } from '../test-support/sim-broker.ts'
import type { Admin, ClientOptions } from '../types.ts'
import { createAdmin } from './admin.ts'

setLogLevel('millrace.client', 'OFF')

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const f of cleanups.splice(0).reverse()) await f()
})

async function start(sim: SimOptions, options: Partial<ClientOptions> = {}): Promise<Admin> {
  const broker = await SimBroker.start(sim)
  const quick = { retryBackoffMs: 1, retryBackoffMaxMs: 5, reconnectBackoffMs: 1, reconnectBackoffMaxMs: 5 }
  const admin = createAdmin({ bootstrapServers: broker.bootstrap, ...quick, ...options })
  cleanups.push(
    () => broker.stop(),
    () => admin.close(),
  )
  return admin
}

/** Responds to the requests of one API with the given responses, in order. */
function script(apiKey: number, ...answers: (object | 'cut')[]): SimOptions['answer'] {
  return key => (key === apiKey ? answers.shift() : undefined)
}

const exists = { topics: [{ name: 't', errorCode: ErrorCode.TOPIC_ALREADY_EXISTS }] }

test('createTopics succeeds if the first response was lost and the retry reports that the topic exists', async () => {
  const admin = await start({ answer: script(ApiKey.CreateTopics, 'cut', exists) })
  await admin.createTopics([{ name: 't' }])
})

test('creating an existing topic is an error, also with validateOnly', async () => {
  const admin = await start({ answer: script(ApiKey.CreateTopics, exists, 'cut', exists) })
  await expect(admin.createTopics([{ name: 't' }])).rejects.toMatchObject({ kafkaCode: 36 })
  await expect(admin.createTopics([{ name: 't' }], { validateOnly: true })).rejects.toMatchObject({ kafkaCode: 36 })
})

test('a retry of deleteTopics contains only the topics that are not deleted yet', async () => {
  const asked: string[][] = []
  const admin = await start({
    answer: (key, request) => {
      if (key !== ApiKey.DeleteTopics) return undefined
      const names = (request as { topics: { name: string }[] }).topics.map(t => t.name)
      asked.push(names)
      const busy = asked.length === 1
      const codeOf = (name: string) => (busy && name === 'b' ? ErrorCode.REQUEST_TIMED_OUT : 0)
      return { responses: names.map(name => ({ name, errorCode: codeOf(name) })) }
    },
  })
  await admin.deleteTopics(['a', 'b', 'c'])
  expect(asked).toEqual([['a', 'b', 'c'], ['b']])
})

test('a request is retried at the new controller after a NOT_CONTROLLER error', async () => {
  let looked = 0
  const admin = await start({
    answer: key => {
      if (key === ApiKey.Metadata) looked++
      if (key !== ApiKey.CreateTopics) return undefined
      return { topics: [{ name: 't', errorCode: looked > 1 ? 0 : ErrorCode.NOT_CONTROLLER }] }
    },
  })
  await admin.createTopics([{ name: 't' }])
})

test('a call fails at its timeout if the broker does not respond', async () => {
  const admin = await start({ mute: true })
  const late = { code: 'MR_CLIENT_TIMEOUT', retriable: true }
  await expect(admin.createTopics([{ name: 't' }], { timeoutMs: 50 })).rejects.toMatchObject(late)
  await expect(admin.deleteTopics(['t'], { timeoutMs: 50 })).rejects.toMatchObject(late)
})

test('requests for a group are retried at its new coordinator, and deleteGroups succeeds if only its response was lost', async () => {
  let looked = 0
  const codes = [ErrorCode.NOT_COORDINATOR, 'cut', ErrorCode.GROUP_ID_NOT_FOUND] as const
  let n = 0
  const broker: SimOptions = {
    answer: (key, request) => {
      if (key === ApiKey.FindCoordinator) {
        looked++
        const [id] = (request as { coordinatorKeys: string[] }).coordinatorKeys
        return { coordinators: [{ key: id, nodeId: 1, host: '127.0.0.1', port: port() }] }
      }
      if (key !== ApiKey.DeleteGroups) return undefined
      const code = codes[n++]!
      return code === 'cut' ? code : { results: [{ groupId: 'g', errorCode: code }] }
    },
  }
  const sim = await SimBroker.start(broker)
  const port = () => sim.port
  const admin = createAdmin({ bootstrapServers: sim.bootstrap, retryBackoffMs: 1, reconnectBackoffMs: 1 })
  cleanups.push(
    () => sim.stop(),
    () => admin.close(),
  )
  await admin.deleteGroups(['g'])
  expect(looked).toBe(3)
})
