import { messageOf } from '../../common/errors/error-table.ts'
import type { Logger } from '../../common/log.ts'
import { ErrorCode, errorFor } from '../../protocol/error-codes.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { dynamicConfigs } from '../config/dynamic.ts'
import { brokerErrors } from '../errors.ts'
import type { Partitions } from '../partitions.ts'
import { applyChange } from './apply.ts'
import type { ConfigChange, Controller, NewPartitions, NewTopic, Outcome, ProducerIdBlock } from './controller-api.ts'
import { decideAlterConfigs } from './decide-configs.ts'
import {
  type Decision,
  type DecisionContext,
  decideCreatePartitions,
  decideCreateTopics,
  decideDeleteTopics,
} from './decide-topics.ts'
import { EMPTY_IMAGE, type ImageDelta, type MetadataImage, type TopicImage } from './image.ts'
import { internalTopic } from './internal-topics.ts'
import { randomUuid } from './meta-properties.ts'
import type { MetadataLog } from './metadata-log.ts'
import { type ImageListener, Publisher } from './publisher.ts'
import { type MetadataRecord, record } from './records.ts'
import { type Election, electionRecords, type Registration, startRecords } from './registration.ts'
import { Replay } from './replay.ts'

interface QuorumOptions {
  readonly log: Pick<MetadataLog, 'endOffset' | 'restore' | 'replay' | 'append' | 'appendLeaderChange'>
  readonly config: BrokerConfig
  readonly nodeId: number
  readonly partitions: Pick<Partitions, 'create' | 'update'>
  readonly logger: Logger
  readonly now: () => number
}

/**
 * The maximum number of records of one request (Kafka's MAX_RECORDS_PER_USER_OP). All records of a
 * request must fit into one batch, because they apply together or not at all.
 */
const MAX_RECORDS = 10_000
/** The number of producer ids in a block (Kafka's ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE). */
const PRODUCER_ID_BLOCK = 1000

/**
 * The controller of a quorum with a single node. Changes are handled one after another. For each
 * change, a pure function computes records from the committed image. Appending the records commits
 * them. Then the publisher applies their effects and publishes the new image. The response to a
 * change is sent only after that. The next change does not wait for the publisher.
 */
export class QuorumController implements Controller {
  readonly #o: QuorumOptions
  /** The image of all records in the metadata log. */
  #committed: MetadataImage = EMPTY_IMAGE
  readonly #publisher: Publisher
  #epoch = 0
  /** The last change in the queue. Each change waits for the previous one. */
  #last: Promise<unknown> = Promise.resolve()
  readonly #ensuring = new Map<string, Promise<Outcome<TopicImage>>>()

  constructor(o: QuorumOptions) {
    this.#o = o
    this.#publisher = new Publisher(o.partitions, o.logger)
  }

  /** The published metadata. The logs of all its partitions exist. */
  get image(): MetadataImage {
    return this.#publisher.image
  }

  /** The epoch in which this node is the leader of the quorum. */
  get epoch(): number {
    return this.#epoch
  }

  /** The offset after the last committed record of the metadata log. */
  get committedOffset(): number {
    return this.#committed.offset + 1
  }

  onImage(listener: ImageListener): () => void {
    return this.#publisher.onImage(listener)
  }

  /**
   * Restores the newest snapshot and replays the log after it. Then becomes the leader of the
   * quorum in a new epoch, registers this broker, and makes it the leader of the partitions that
   * `toElect` returns. Returns the ids of the topics whose deletion is recorded in the log. Throws
   * an MR_BROKER_METADATA_* error.
   */
  async start(
    registration: Registration,
    toElect: (image: MetadataImage) => Election[] = () => [],
  ): Promise<ReadonlySet<string>> {
    const replay = await this.#replay(await this.#o.log.restore())
    this.#committed = replay.image
    this.#epoch = replay.image.epoch + 1
    try {
      const now = this.#o.now()
      await this.#o.log.appendLeaderChange(this.#epoch, now)
      if (replay.inTransaction) await this.#write([record('AbortTransaction', { reason: 'its writer stopped' })])
      await this.#write(startRecords(this.#committed, registration, this.#o.log.endOffset))
      const records = electionRecords(this.#o.nodeId, toElect(this.#committed))
      for (let i = 0; i < records.length; i += MAX_RECORDS) await this.#write(records.slice(i, i + MAX_RECORDS))
      this.#publisher.begin(this.#committed)
      return replay.removedTopics
    } catch (cause) {
      throw brokerErrors.create('MR_BROKER_METADATA_WRITE', { cause: messageOf(cause) }, { cause })
    }
  }

  async #replay(from: MetadataImage): Promise<Replay> {
    const replay = new Replay(from)
    for await (const batch of this.#o.log.replay(from.offset + 1)) {
      try {
        replay.add(batch)
      } catch (cause) {
        const what = { dir: this.#o.config.metadataDir, offset: batch.lastOffset, cause: messageOf(cause) }
        throw brokerErrors.create('MR_BROKER_METADATA_CORRUPT', what, { cause })
      }
    }
    return replay
  }

  /** Appends the records, which commits them. Does not publish the resulting image. */
  async #write(records: readonly MetadataRecord[]): Promise<ImageDelta> {
    const timestamp = this.#o.now()
    const offset = await this.#o.log.append(records, this.#epoch, timestamp)
    const { image, delta } = applyChange(this.#committed, records, { offset, epoch: this.#epoch, timestamp })
    this.#committed = image
    return delta
  }

  #enqueue<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task)
    this.#last = result.catch(() => undefined)
    return result
  }

  #context(): DecisionContext {
    return {
      image: this.#committed,
      config: this.#o.config,
      dynamic: dynamicConfigs(this.#committed, this.#o.nodeId),
      newId: randomUuid,
    }
  }

  async #change<T>(decide: (ctx: DecisionContext) => Decision<T>, validateOnly = false): Promise<Outcome<T>[]> {
    const { outcomes, published } = await this.#enqueue(async () => {
      const { records, outcomes } = decide(this.#context())
      if (records.length > MAX_RECORDS) {
        const message = 'Unable to perform excessively large batch operation.'
        const error = { code: ErrorCode.POLICY_VIOLATION, message }
        return { outcomes: outcomes.map(o => (o.error ? o : { error })), published: null }
      }
      const published = records.length > 0 && !validateOnly ? await this.#commit(records) : null
      return { outcomes: [...outcomes], published }
    })
    await published?.done
    return outcomes
  }

  /**
   * Resolves when the records are committed. `done` resolves when they are published. `done` is a
   * field of an object, because an async function that returns a promise waits for it.
   */
  async #commit(records: readonly MetadataRecord[]): Promise<{ done: Promise<void> }> {
    try {
      const delta = await this.#write(records)
      return { done: this.#publisher.publish(this.#committed, delta) }
    } catch (cause) {
      this.#o.logger.error('Cannot write to the metadata log. The change was rejected', cause)
      await this.#catchUp()
      throw errorFor(ErrorCode.KAFKA_STORAGE_ERROR, `Cannot write to the metadata log: ${messageOf(cause)}`, { cause })
    }
  }

  /**
   * After a failed write, applies the records that are in the log nevertheless, because a restart
   * would read them.
   */
  async #catchUp(): Promise<void> {
    if (this.#o.log.endOffset <= this.#committed.offset + 1) return
    const replay = await this.#replay(this.#committed)
    this.#committed = replay.image
    await this.#publisher.publish(replay.image, replay.delta)
  }

  /**
   * Resolves when all queued changes are committed and published. The caller must not request
   * changes after this call.
   */
  async close(): Promise<void> {
    await this.#last
    await this.#publisher.idle()
  }

  createTopics(topics: readonly NewTopic[], o?: { validateOnly?: boolean }): Promise<Outcome<TopicImage>[]> {
    return this.#change(ctx => decideCreateTopics(ctx, topics), o?.validateOnly)
  }

  deleteTopics(ids: readonly string[]): Promise<Outcome<TopicImage>[]> {
    return this.#change(ctx => decideDeleteTopics(ctx, ids))
  }

  createPartitions(topics: readonly NewPartitions[], o?: { validateOnly?: boolean }): Promise<Outcome<TopicImage>[]> {
    return this.#change(ctx => decideCreatePartitions(ctx, topics), o?.validateOnly)
  }

  alterConfigs(changes: readonly ConfigChange[], o?: { validateOnly?: boolean }): Promise<Outcome<null>[]> {
    return this.#change(ctx => decideAlterConfigs(ctx, changes), o?.validateOnly)
  }

  async allocateProducerIds(): Promise<ProducerIdBlock> {
    const { first, done } = await this.#enqueue(async () => {
      const first = this.#committed.nextProducerId
      const brokerEpoch = this.#committed.brokers.get(this.#o.nodeId)?.epoch ?? -1
      const nextProducerId = first + PRODUCER_ID_BLOCK
      const { done } = await this.#commit([
        record('ProducerIds', { brokerId: this.#o.nodeId, brokerEpoch, nextProducerId }),
      ])
      return { first, done }
    })
    await done
    return { first, count: PRODUCER_ID_BLOCK }
  }

  ensureTopic(name: string): Promise<Outcome<TopicImage>> {
    const existing = this.image.topicsByName.get(name)
    if (existing) return Promise.resolve({ error: null, value: existing })
    const running = this.#ensuring.get(name)
    if (running) return running
    const made = this.#ensure(name).finally(() => this.#ensuring.delete(name))
    this.#ensuring.set(name, made)
    return made
  }

  async #ensure(name: string): Promise<Outcome<TopicImage>> {
    const plain = { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }
    const topic = internalTopic(name, this.#o.config, this.image.brokers.size) ?? plain
    const [outcome] = await this.createTopics([topic])
    const existing = this.image.topicsByName.get(name)
    // A concurrent request may have created the topic.
    return existing ? { error: null, value: existing } : outcome!
  }
}
