import type {
  Admin,
  Consumer,
  ConsumerBatch,
  ConsumerRecord,
  Producer,
  ProducerRecord,
  TopicPartition,
} from '../../client/types.ts'
import { Signal } from '../../common/async/signal.ts'
import { murmur2, toPositive } from '../../protocol/index.ts'
import type { Clients } from '../clients.ts'

interface Topic {
  readonly partitions: ConsumerRecord[][]
  readonly configs: Record<string, string>
}

/**
 * An in-memory broker for tests of the worker's stores. Unlike the in-memory broker of
 * core/testing, it has topic configurations, end offsets and simulated failures, which the stores
 * need.
 */
export class MemoryLog implements Clients {
  readonly topics = new Map<string, Topic>()
  /** The error with which every write fails. Null: writes succeed. */
  failWrites: Error | null = null
  /** A promise for which readers wait before they return records. */
  holdReads: Promise<void> | null = null
  readonly #changed = new Signal()

  create(name: string, partitions: number, configs: Record<string, string> = {}): Topic {
    const topic = { partitions: Array.from({ length: partitions }, () => []), configs }
    this.topics.set(name, topic)
    return topic
  }

  /** Returns all records of a topic with text keys and values, by partition and offset. */
  dump(name: string): { partition: number; key: string; value: string | null }[] {
    const rows = this.topics.get(name)?.partitions.flat() ?? []
    return rows.map(r => ({
      partition: r.partition,
      key: r.key?.toString() ?? '',
      value: r.value?.toString() ?? null,
    }))
  }

  write(record: Pick<ProducerRecord, 'topic' | 'key' | 'value'>): { partition: number; offset: number } {
    if (this.failWrites) throw this.failWrites
    const topic = this.topics.get(record.topic)
    if (!topic) throw new Error(`no topic ${record.topic}`)
    const partition = record.key ? toPositive(murmur2(record.key)) % topic.partitions.length : 0
    const offset = topic.partitions[partition]!.length
    topic.partitions[partition]!.push({
      topic: record.topic,
      partition,
      offset,
      timestamp: 0,
      timestampType: 0,
      key: record.key,
      value: typeof record.value === 'string' ? Buffer.from(record.value) : record.value,
      headers: [],
      leaderEpoch: 0,
    })
    this.#changed.notify()
    return { partition, offset }
  }

  producer(): Producer {
    const absent = () => {
      throw new Error('not part of the memory log')
    }
    return {
      append: absent,
      room: absent,
      send: async records => records.map(r => ({ topic: r.topic, timestamp: 0, ...this.write(r) })),
      flush: async () => {},
      abortUnsent: () => undefined,
      partitionsFor: async topic => this.#partitions(topic),
      traffic: absent,
      close: async () => {},
    }
  }

  consumer(): Consumer {
    const positions = new Map<string, number>()
    const id = (p: TopicPartition) => `${p.topic}/${p.partition}`
    let assigned: readonly TopicPartition[] = []
    const take = (): ConsumerBatch[] => {
      const batches: ConsumerBatch[] = []
      for (const p of assigned) {
        const rows = this.topics.get(p.topic)!.partitions[p.partition]!
        const records = rows.slice(positions.get(id(p)) ?? 0)
        if (records.length === 0) continue
        positions.set(id(p), rows.length)
        batches.push({ ...p, records, highWatermark: rows.length })
      }
      return batches
    }
    const consumer: Partial<Consumer> = {
      assign: partitions => {
        assigned = partitions
      },
      seekToBeginning: partitions => {
        for (const p of partitions) positions.set(id(p), 0)
      },
      poll: async (timeoutMs, signal) => {
        const found = take()
        if (found.length > 0 || signal?.aborted) return found
        await this.#changed.next(timeoutMs, signal)
        await this.holdReads
        return take()
      },
      wakeup: () => this.#changed.notify(),
      position: p => positions.get(id(p)) ?? null,
      partitionsFor: async topic => this.#partitions(topic),
      groupMetadata: () => null,
      joining: () => null,
      close: async () => {},
    }
    return consumer as Consumer
  }

  admin(): Admin {
    const admin: Partial<Admin> = {
      createTopics: async topics => {
        for (const t of topics) this.create(t.name, Math.max(1, t.partitions ?? 1), { ...t.configs })
      },
      describeTopics: async names =>
        names.map(name => {
          const topic = this.topics.get(name)
          return topic ? { name, topicId: '', internal: false, partitions: this.#partitions(name) } : null
        }),
      describeConfigs: async ({ name }) =>
        Object.entries(this.topics.get(name)?.configs ?? {}).map(([key, value]) => ({
          name: key,
          value,
          source: 1,
          isDefault: false,
          sensitive: false,
          readOnly: false,
        })),
      listOffsets: async queries =>
        queries.map(q => ({ offset: this.topics.get(q.topic)!.partitions[q.partition]!.length, timestamp: -1 })),
      close: async () => {},
    }
    return admin as Admin
  }

  #partitions(topic: string) {
    return (this.topics.get(topic)?.partitions ?? []).map((_, partition) => ({
      topic,
      partition,
      leader: 1,
      replicas: [1],
      isr: [1],
    }))
  }
}
