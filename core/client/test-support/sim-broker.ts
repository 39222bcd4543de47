import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { ApiKey, apis } from '../../protocol/api-keys.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { decodeRequestHeader, encodeResponseFrame } from '../../protocol/headers.ts'
import type { ProduceRequest } from '../../protocol/messages/00-produce.ts'
import type { MetadataRequest } from '../../protocol/messages/03-metadata.ts'
import { readBatches } from '../../protocol/records/batch-reader.ts'
import { decode } from '../../protocol/schema/codec.ts'
import type { Message, MessageDeclaration, MessageInput } from '../../protocol/schema/declare.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import { FrameReader } from '../net/frame-reader.ts'
import { SimLog } from './sim-log.ts'

/**
 * A fault that a batch causes: an error code, a disconnect before or after the batch is written, or
 * a missing response.
 */
export type Fault =
  | { readonly code: number; readonly invalid?: readonly number[] }
  | 'cut-before'
  | 'cut-after'
  | 'silence'
  | null

export interface SimOptions {
  /**
   * The topics and their partition counts. Other topics do not exist, unless `autoCreate` is set.
   */
  readonly topics?: Record<string, number>
  readonly autoCreate?: number
  readonly maxMessageBytes?: number
  /** The leader epoch of all partitions. Default 0. */
  readonly leaderEpoch?: number
  /** Returns the fault that a batch causes, or null. */
  readonly onBatch?: (topic: string, partition: number, batch: Buffer) => Fault
  /** Returns true to disconnect instead of responding to a request. */
  readonly onRequest?: (apiKey: number) => boolean
  /**
   * Returns the response to a request, or 'cut' to disconnect. If it returns undefined, the broker
   * responds as usual.
   */
  readonly answer?: (
    apiKey: number,
    request: Message<MessageDeclaration>,
    version: number,
  ) => object | 'cut' | undefined
  /** Whether the broker reads requests without responding to them. */
  readonly mute?: boolean
}

/**
 * A simulated broker for client tests. It is the only node of its cluster, keeps its logs in
 * memory, and causes faults on demand.
 */
export class SimBroker {
  readonly logs = new Map<string, SimLog>()
  readonly topics = new Map<string, { id: string; count: number }>()
  options: SimOptions
  requests = 0
  #server: Server
  readonly #sockets = new Set<Socket>()
  #nextProducerId = 1000
  port = 0

  private constructor(options: SimOptions) {
    this.options = options
    for (const [name, count] of Object.entries(options.topics ?? {})) this.createTopic(name, count)
    this.#server = this.#listen()
  }

  static async start(options: SimOptions = {}): Promise<SimBroker> {
    const broker = new SimBroker(options)
    await broker.#up(0)
    return broker
  }

  get bootstrap(): string[] {
    return [`127.0.0.1:${this.port}`]
  }

  createTopic(name: string, count: number): void {
    const id = Buffer.from(name.padEnd(16, '.').slice(0, 16)).toString('base64url')
    this.topics.set(name, { id, count })
    for (let p = 0; p < count; p++) this.logs.set(`${name}:${p}`, new SimLog())
  }

  log(topic: string, partition: number): SimLog {
    return this.logs.get(`${topic}:${partition}`)!
  }

  /** Returns the values in a partition, in order, as text. */
  values(topic: string, partition: number): string[] {
    return this.log(topic, partition).batches.flatMap(b =>
      [...readBatches(b, { checkCrc: true })].flatMap(d => d.records().map(r => String(r.value))),
    )
  }

  /** Closes all connections and rejects new ones, until `restart`. */
  async stop(): Promise<void> {
    for (const s of this.#sockets) s.destroy()
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }

  /** Stops reading from the open connections. */
  pause(): void {
    for (const s of this.#sockets) s.pause()
  }

  async restart(): Promise<void> {
    this.#server = this.#listen()
    await this.#up(this.port)
  }

  async #up(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.port = (this.#server.address() as AddressInfo).port
  }

  #listen(): Server {
    return createServer({ noDelay: true }, socket => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => socket.destroy())
      const frames = new FrameReader(frame => this.#handle(socket, frame))
      socket.on('data', chunk => frames.push(chunk))
    })
  }

  #handle(socket: Socket, frame: Buffer): void {
    if (socket.destroyed) return
    this.requests++
    const header = decodeRequestHeader(frame)
    if (this.options.onRequest?.(header.apiKey)) {
      socket.destroy()
      return
    }
    if (this.options.mute) return
    const api = apis.get(header.apiKey)!
    const request = decode(api.request, header.apiVersion, frame, header.end)
    const own = this.options.answer?.(header.apiKey, request, header.apiVersion)
    const answer = own ?? this.#answer(header.apiKey, header.apiVersion, request)
    if (answer === 'cut') socket.destroy()
    else if (answer) {
      const chunks = encodeResponseFrame(header.apiKey, header.apiVersion, header.correlationId, api.response, answer)
      socket.write(Buffer.concat(chunks))
    }
  }

  #answer(
    apiKey: number,
    version: number,
    request: Message<MessageDeclaration>,
  ): MessageInput<MessageDeclaration> | 'cut' | null {
    switch (apiKey) {
      case ApiKey.ApiVersions:
        return {
          apiKeys: [...apis.values()].map(a => ({ apiKey: a.key, minVersion: a.minVersion, maxVersion: a.maxVersion })),
        }
      case ApiKey.Metadata:
        return this.#metadata(request as Message<typeof MetadataRequest>)
      case ApiKey.InitProducerId:
        return { errorCode: 0, producerId: this.#nextProducerId++, producerEpoch: 0 }
      case ApiKey.Produce:
        return this.#produce(request as Message<typeof ProduceRequest>, version)
      default:
        throw new Error(`the simulated broker has no API ${apiKey}`)
    }
  }

  #metadata(request: Message<typeof MetadataRequest>): object {
    const names = request.topics === null ? [...this.topics.keys()] : request.topics.map(t => t.name!)
    return {
      brokers: [{ nodeId: 1, host: '127.0.0.1', port: this.port }],
      clusterId: 'sim',
      controllerId: 1,
      topics: names.map(name => {
        if (!this.topics.has(name) && this.options.autoCreate && request.allowAutoTopicCreation) {
          this.createTopic(name, this.options.autoCreate)
        }
        const topic = this.topics.get(name)
        if (!topic) return { name, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, topicId: ZERO_UUID, partitions: [] }
        const partitions = Array.from({ length: topic.count }, (_, partitionIndex) => ({
          partitionIndex,
          leaderId: 1,
          leaderEpoch: this.options.leaderEpoch ?? 0,
          replicaNodes: [1],
          isrNodes: [1],
        }))
        return { name, errorCode: 0, topicId: topic.id, partitions }
      }),
    }
  }

  #produce(request: Message<typeof ProduceRequest>, version: number): object | 'cut' | null {
    const nameOf = (id: string) => [...this.topics].find(([, t]) => t.id === id)?.[0]
    let cut = false
    let silent = false
    const responses = request.topicData.map(t => {
      const topic = version >= 13 ? nameOf(t.topicId)! : t.name
      const partitionResponses = t.partitionData.map(({ index, records }) => {
        const fault = this.options.onBatch?.(topic, index, records!) ?? null
        if (fault === 'cut-before') cut = true
        if (fault === 'silence') silent = true
        if (fault === 'cut-before' || fault === 'silence') return { index, errorCode: 0 }
        if (fault !== null && fault !== 'cut-after')
          return {
            index,
            errorCode: fault.code,
            baseOffset: -1,
            recordErrors: (fault.invalid ?? []).map(batchIndex => ({ batchIndex })),
          }
        if (fault === 'cut-after') cut = true
        return { index, ...this.log(topic, index).append(records!, this.options.maxMessageBytes ?? 1 << 20) }
      })
      return version >= 13 ? { topicId: t.topicId, partitionResponses } : { name: topic, partitionResponses }
    })
    if (cut) return 'cut'
    return silent || request.acks === 0 ? null : { responses }
  }
}
