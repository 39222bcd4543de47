import type { Consumer, Producer, TopicPartition } from '../../client/types.ts'
import type { Logger } from '../../common/log.ts'
import type { SourceOffset, SourcePartition } from '../../connect/record.ts'
import { type Clients, kafkaClients } from '../clients.ts'
import { asObject, parseJson, renderJson } from '../storage/connect-json.ts'
import type { OffsetStoreSpec } from './messages-in.ts'
import type { OffsetStore } from './offset-store.ts'
import type { Uplink } from './unit.ts'

/** The store that a specification names. `topic` opens its clients at first use. */
export function createOffsetStore(
  spec: OffsetStoreSpec,
  connector: string,
  unit: string,
  uplink: Uplink,
  logger: Logger,
  clients: Clients = kafkaClients,
): OffsetStore {
  if (spec.kind === 'herder') return new HerderOffsetStore(connector, unit, uplink)
  return new TopicOffsetStore(spec, connector, clients, logger)
}

/** An offset's key as Connect writes it: `["orders",{"filename":"a.txt"}]`. */
export function offsetKey(connector: string, partition: SourcePartition): string {
  return renderJson([connector, partition])
}

function parseOffset(text: string | null | undefined): SourceOffset | null {
  return text === null || text === undefined ? null : asObject(parseJson(text))
}

/** Offsets that the herder keeps: every call is a message to its thread. */
export class HerderOffsetStore implements OffsetStore {
  readonly #connector: string
  readonly #unit: string
  readonly #uplink: Uplink

  constructor(connector: string, unit: string, uplink: Uplink) {
    this.#connector = connector
    this.#unit = unit
    this.#uplink = uplink
  }

  async get(partitions: readonly SourcePartition[]): Promise<(SourceOffset | null)[]> {
    const keys = partitions.map(p => offsetKey(this.#connector, p))
    const values = (await this.#uplink.call(this.#unit, { name: 'offsets-get', keys })) as (string | null)[]
    return values.map(parseOffset)
  }

  async put(entries: readonly (readonly [SourcePartition, SourceOffset | null])[]): Promise<void> {
    const rendered = entries.map(
      ([p, o]) => [offsetKey(this.#connector, p), o === null ? null : renderJson(o)] as const,
    )
    await this.#uplink.call(this.#unit, { name: 'offsets-put', entries: rendered })
  }

  async close(): Promise<void> {}
}

/** Offsets in the compacted offsets topic, read to its end at first use and written with acks=all. */
export class TopicOffsetStore implements OffsetStore {
  readonly #spec: Extract<OffsetStoreSpec, { kind: 'topic' }>
  readonly #connector: string
  readonly #clients: Clients
  readonly #logger: Logger
  #loading: Promise<Map<string, string>> | null = null
  #producer: Producer | null = null

  constructor(spec: Extract<OffsetStoreSpec, { kind: 'topic' }>, connector: string, clients: Clients, logger: Logger) {
    this.#spec = spec
    this.#connector = connector
    this.#clients = clients
    this.#logger = logger
  }

  async get(partitions: readonly SourcePartition[]): Promise<(SourceOffset | null)[]> {
    // Read anew each time: a connector's and its tasks' stores do not see each other's writes otherwise.
    this.#loading = this.#load()
    const known = await this.#loading
    return partitions.map(p => parseOffset(known.get(offsetKey(this.#connector, p))))
  }

  async put(entries: readonly (readonly [SourcePartition, SourceOffset | null])[]): Promise<void> {
    const { topic, producer } = this.#spec
    this.#producer ??= this.#clients.producer(
      { ...producer, acks: 'all', 'enable.idempotence': 'true', 'linger.ms': '0' },
      this.#logger,
    )
    await this.#producer.send(
      entries.map(([partition, offset]) => ({
        topic,
        key: Buffer.from(offsetKey(this.#connector, partition)),
        value: offset === null ? null : Buffer.from(renderJson(offset)),
      })),
    )
  }

  async close(): Promise<void> {
    const producer = this.#producer
    this.#producer = null
    await producer?.close()
  }

  async #load(): Promise<Map<string, string>> {
    const { topic, consumer: props } = this.#spec
    const { 'group.id': _, ...rest } = props
    const consumer = this.#clients.consumer({ ...rest, 'auto.offset.reset': 'earliest' }, this.#logger)
    try {
      const known = new Map<string, string>()
      const partitions = await consumer.partitionsFor(topic)
      await readToEnd(consumer, partitions, (key, value) => {
        if (!key.startsWith(`[${renderJson(this.#connector)},`)) return
        if (value === null) known.delete(key)
        else known.set(key, value)
      })
      return known
    } finally {
      await consumer.close()
    }
  }
}

async function readToEnd(
  consumer: Consumer,
  partitions: readonly TopicPartition[],
  take: (key: string, value: string | null) => void,
): Promise<void> {
  consumer.assign(partitions)
  consumer.seekToBeginning(partitions)
  const ends = await consumer.endOffsets(partitions)
  const starts = await consumer.beginningOffsets(partitions)
  const left = new Map<number, number>()
  partitions.forEach((p, i) => {
    if (ends[i]! > starts[i]!) left.set(p.partition, ends[i]!)
  })
  while (left.size > 0) {
    for (const batch of await consumer.poll(1000)) {
      for (const record of batch.records) {
        if (record.key) take(record.key.toString(), record.value?.toString() ?? null)
      }
    }
    // By position, not by the last record: the end may be a gap that compaction or a transaction marker left.
    for (const p of partitions) {
      const end = left.get(p.partition)
      if (end !== undefined && (consumer.position(p) ?? 0) >= end) left.delete(p.partition)
    }
  }
}
