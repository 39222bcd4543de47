import { sleep } from '../../common/async/sleep.ts'
import { ODD_TOPICS, type OddRequest } from './odd-requests/odd-request.ts'
import { RawClient } from './raw-client.ts'

/** The response fields whose values differ between brokers. */
const GENERATED: ReadonlySet<string> = new Set([
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
/**
 * Compares two elements of an array. Arrays are sorted before they are compared, because brokers
 * may order the elements differently.
 */
const byJson = (x: unknown, y: unknown) => (JSON.stringify(x) < JSON.stringify(y) ? -1 : 1)

/**
 * Returns a response without the values that differ between brokers. Buffers are replaced by their
 * length, and the values of `generated` fields by their type.
 */
export function normalized(value: unknown, generated: ReadonlySet<string> = GENERATED): unknown {
  if (Buffer.isBuffer(value)) return value.length
  if (Array.isArray(value)) return value.map(v => normalized(v, generated)).sort(byJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([k, v]) => [k, generated.has(k) ? typeof v : normalized(v, generated)]),
  )
}

/**
 * Sends odd requests to a broker. If the broker closes the connection or does not answer, the
 * result is a message about this.
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
      return normalized(answer)
    } catch (error) {
      this.close()
      return error instanceof Error ? error.message : error
    } finally {
      clearTimeout(timer)
    }
  }

  /** Creates the topics, and a group with committed offsets, that the requests refer to. */
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
