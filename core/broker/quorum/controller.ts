import { messageOf } from '../../common/errors/error-table.ts'
import type { Logger } from '../../common/log.ts'
import { ErrorCode, errorFor } from '../../protocol/error-codes.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { dynamicConfigs } from '../config/dynamic.ts'
import { brokerErrors } from '../errors.ts'
import type { Partitions } from '../partitions.ts'
import { applyRecords } from './apply.ts'
import type { ConfigChange, Controller, NewPartitions, NewTopic, Outcome, ProducerIdBlock } from './controller-api.ts'
import { decideAlterConfigs } from './decide-configs.ts'
import {
  type Decision,
  type DecisionContext,
  decideCreatePartitions,
  decideCreateTopics,
  decideDeleteTopics,
} from './decide-topics.ts'
import { EMPTY_IMAGE, type MetadataImage, type TopicImage } from './image.ts'
import { internalTopic } from './internal-topics.ts'
import { randomUuid } from './meta-properties.ts'
import type { MetadataLog } from './metadata-log.ts'
import { type MetadataRecord, record } from './records.ts'
import { type Election, electionRecords, type Registration, startRecords } from './registration.ts'
import { Replay } from './replay.ts'

type ImageListener = (image: MetadataImage, previous: MetadataImage) => void

interface QuorumOptions {
  readonly log: Pick<MetadataLog, 'endOffset' | 'replay' | 'append' | 'appendLeaderChange'>
  readonly config: BrokerConfig
  readonly nodeId: number
  readonly partitions: Pick<Partitions, 'create' | 'update'>
  readonly logger: Logger
  readonly now: () => number
}

/** Kafka's MAX_RECORDS_PER_USER_OP: what one request may write, so that it is one batch and takes effect as a whole. */
const MAX_RECORDS = 10_000
/** Kafka's ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE. */
const PRODUCER_ID_BLOCK = 1000

/**
 * The controller of a quorum of one. Changes run one after another: decide (pure) on the image, append the records, apply them, do the effects.
 * New logs exist before the image shows their partitions, and old ones go after it has let go of them.
 */
export class QuorumController implements Controller {
  readonly #o: QuorumOptions
  #image: MetadataImage = EMPTY_IMAGE
  #epoch = 0
  /** The end of the line: each change waits for the one before. */
  #last: Promise<unknown> = Promise.resolve()
  readonly #listeners = new Set<ImageListener>()
  readonly #ensuring = new Map<string, Promise<Outcome<TopicImage>>>()

  constructor(o: QuorumOptions) {
    this.#o = o
  }

  get image(): MetadataImage {
    return this.#image
  }

  onImage(listener: ImageListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Replays the log, takes the lead in a new epoch, and registers this broker, which is elected leader of the partitions that `toElect` names. Gives
   * the ids of the topics that were ever deleted. Throws MR_BROKER_METADATA_*.
   */
  async start(
    registration: Registration,
    toElect: (image: MetadataImage) => Election[] = () => [],
  ): Promise<ReadonlySet<string>> {
    const replay = await this.#replay()
    this.#image = replay.image
    this.#epoch = replay.image.epoch + 1
    try {
      const now = this.#o.now()
      await this.#o.log.appendLeaderChange(this.#epoch, now)
      if (replay.inTransaction) await this.#write([record('AbortTransaction', { reason: 'its writer is gone' })])
      this.#image = await this.#write(startRecords(this.#image, registration, this.#o.log.endOffset))
      const records = electionRecords(this.#o.nodeId, toElect(this.#image))
      for (let i = 0; i < records.length; i += MAX_RECORDS)
        this.#image = await this.#write(records.slice(i, i + MAX_RECORDS))
      return replay.removedTopics
    } catch (cause) {
      throw brokerErrors.create('MR_BROKER_METADATA_WRITE', { cause: messageOf(cause) }, { cause })
    }
  }

  async #replay(): Promise<Replay> {
    const replay = new Replay(this.#image)
    for await (const batch of this.#o.log.replay(this.#image.offset + 1)) {
      try {
        replay.add(batch)
      } catch (cause) {
        const what = { dir: this.#o.config.metadataDir, offset: batch.lastOffset, cause: messageOf(cause) }
        throw brokerErrors.create('MR_BROKER_METADATA_CORRUPT', what, { cause })
      }
    }
    return replay
  }

  /** Appends, and gives the image that follows; does not show it yet. */
  async #write(records: readonly MetadataRecord[]): Promise<MetadataImage> {
    const offset = await this.#o.log.append(records, this.#epoch, this.#o.now())
    return applyRecords(this.#image, records, offset, this.#epoch)
  }

  #inLine<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task)
    this.#last = result.catch(() => undefined)
    return result
  }

  #context(): DecisionContext {
    return {
      image: this.#image,
      config: this.#o.config,
      dynamic: dynamicConfigs(this.#image, this.#o.nodeId),
      newId: randomUuid,
    }
  }

  #change<T>(decide: (ctx: DecisionContext) => Decision<T>, validateOnly = false): Promise<Outcome<T>[]> {
    return this.#inLine(async () => {
      const { records, outcomes } = decide(this.#context())
      if (records.length > MAX_RECORDS) {
        const message = 'Unable to perform excessively large batch operation.'
        return outcomes.map(o => (o.error ? o : { error: { code: ErrorCode.POLICY_VIOLATION, message } }))
      }
      if (records.length > 0 && !validateOnly) await this.#commit(records)
      return [...outcomes]
    })
  }

  async #commit(records: readonly MetadataRecord[]): Promise<void> {
    let next: MetadataImage
    try {
      next = await this.#write(records)
    } catch (cause) {
      this.#o.logger.error('The metadata log cannot be written; the change was refused', cause)
      await this.#catchUp()
      throw errorFor(ErrorCode.KAFKA_STORAGE_ERROR, `Cannot write to the metadata log: ${messageOf(cause)}`, { cause })
    }
    await this.#show(next)
  }

  async #show(next: MetadataImage): Promise<void> {
    const previous = this.#image
    await this.#o.partitions.create(previous, next)
    this.#image = next
    await this.#o.partitions.update(previous, next)
    for (const listener of this.#listeners) {
      try {
        listener(next, previous)
      } catch (error) {
        this.#o.logger.error('A listener to the metadata failed', error)
      }
    }
  }

  /** After a failed write: what nevertheless reached the log counts, since a restart would read it. */
  async #catchUp(): Promise<void> {
    if (this.#o.log.endOffset <= this.#image.offset + 1) return
    const replay = await this.#replay()
    await this.#show(replay.image)
  }

  /** Waits for the change under way. No other may follow. */
  async close(): Promise<void> {
    await this.#last
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

  allocateProducerIds(): Promise<ProducerIdBlock> {
    return this.#inLine(async () => {
      const first = this.#image.nextProducerId
      const brokerEpoch = this.#image.brokers.get(this.#o.nodeId)?.epoch ?? -1
      const nextProducerId = first + PRODUCER_ID_BLOCK
      await this.#commit([record('ProducerIds', { brokerId: this.#o.nodeId, brokerEpoch, nextProducerId })])
      return { first, count: PRODUCER_ID_BLOCK }
    })
  }

  ensureTopic(name: string): Promise<Outcome<TopicImage>> {
    const there = this.#image.topicsByName.get(name)
    if (there) return Promise.resolve({ error: null, value: there })
    const running = this.#ensuring.get(name)
    if (running) return running
    const made = this.#ensure(name).finally(() => this.#ensuring.delete(name))
    this.#ensuring.set(name, made)
    return made
  }

  async #ensure(name: string): Promise<Outcome<TopicImage>> {
    const plain = { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }
    const topic = internalTopic(name, this.#o.config, this.#image.brokers.size) ?? plain
    const [outcome] = await this.createTopics([topic])
    const there = this.#image.topicsByName.get(name)
    // somebody else may have made it in between
    return there ? { error: null, value: there } : outcome!
  }
}
