import { sleep } from '../../common/async/sleep.ts'
import { ODD_TOPICS, type OddRequest } from './odd-requests.ts'
import { RawClient } from './raw-client.ts'

/** What each broker makes up itself. */
const MADE_UP: ReadonlySet<string> = new Set([
  'topicId',
  'clusterId',
  'port',
  'host',
  'logDir',
  'totalBytes',
  'usableBytes',
  'sessionId',
  'logAppendTimeMs',
  'producerId',
])
/** Sorted by this, since the order of an answer says nothing. */
const byText = (x: unknown, y: unknown) => (JSON.stringify(x) < JSON.stringify(y) ? -1 : 1)

/** An answer without what differs from broker to broker. */
export function normalAnswer(value: unknown, madeUp: ReadonlySet<string> = MADE_UP): unknown {
  if (Buffer.isBuffer(value)) return value.length
  if (Array.isArray(value)) return value.map(v => normalAnswer(v, madeUp)).sort(byText)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([k, v]) => [k, madeUp.has(k) ? typeof v : normalAnswer(v, madeUp)]),
  )
}

/**
 * A broker that is asked odd things: an answer may be that it ends the connection, or that it never
 * answers.
 */
export class OddClient {
  readonly #port: number
  #client: RawClient | null = null
  readonly #ids = new Map<string, string>()

  constructor(port: number) {
    this.#port = port
  }

  async ask({ api, input, version }: OddRequest, patienceMs = 20_000): Promise<unknown> {
    this.#client ??= await RawClient.connect(this.#port)
    const idOf = (topic: string) => this.#ids.get(topic)!
    let timer: NodeJS.Timeout | undefined
    const silence = new Promise<string>(resolve => {
      timer = setTimeout(resolve, patienceMs, 'no answer')
    })
    try {
      const asked = this.#client.call(api, typeof input === 'function' ? input(idOf) : input, version)
      const answer = await Promise.race([asked, silence])
      if (answer === 'no answer') {
        asked.catch(() => undefined)
        this.close()
      }
      return normalAnswer(answer)
    } catch (error) {
      this.close()
      return error instanceof Error ? error.message : error
    } finally {
      clearTimeout(timer)
    }
  }

  /** Makes the topics, and a group with an offset. */
  async prepare(): Promise<void> {
    const client = (this.#client ??= await RawClient.connect(this.#port))
    const topics = Object.entries(ODD_TOPICS).map(([name, numPartitions]) => ({
      name,
      numPartitions,
      replicationFactor: 1,
    }))
    const made = (await client.call('CreateTopics', { topics, timeoutMs: 10_000 })) as {
      topics: { name: string; topicId: string }[]
    }
    for (const t of made.topics) this.#ids.set(t.name, t.topicId)
    const leaders = {
      replicaId: -1,
      topics: topics.map(t => ({ name: t.name, partitions: [{ partitionIndex: 0, timestamp: -1 }] })),
    }
    await this.#until(
      async () => !/"errorCode":[^0]/.test(JSON.stringify(await client.call('ListOffsets', leaders, 5))),
    )
    const init = { transactionalId: null, transactionTimeoutMs: 1000 }
    await this.#until(async () => (await client.call('InitProducerId', init))['errorCode'] === 0)
    const partitions = [{ partitionIndex: 0, committedOffset: 1 }]
    const commit = {
      groupId: 'odd-g',
      generationIdOrMemberEpoch: -1,
      memberId: '',
      topics: [
        { name: 'odd-a', partitions },
        { name: 'odd-c', partitions },
      ],
    }
    await this.#until(async () => {
      await client.call('FindCoordinator', { keyType: 0, coordinatorKeys: ['odd-g'] })
      return !/"errorCode":[^0]/.test(JSON.stringify(await client.call('OffsetCommit', commit, 9)))
    })
  }

  close(): void {
    this.#client?.close()
    this.#client = null
  }

  async #until(ready: () => Promise<boolean>): Promise<void> {
    while (!(await ready())) await sleep(20)
  }
}
