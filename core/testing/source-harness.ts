import type { SourceConnector } from '../connect/connector.ts'
import type { Transformation } from '../connect/plugins.ts'
import type {
  CompleteSourceRecord,
  ConnectRecord,
  SourceOffset,
  SourcePartition,
  SourceRecord,
} from '../connect/record.ts'
import { Harness, type HarnessOptions, type TaskWiring } from './harness.ts'
import type { TaskCall } from './lifecycle.ts'
import { memoryAdmin } from './memory-admin.ts'
import { MemoryConsumer } from './memory-consumer.ts'
import { MemoryGroup } from './memory-group.ts'
import { MemoryProducer, ProducerControl } from './memory-producer.ts'
import { OffsetStorage } from './offset-storage.ts'

export interface SourceHarnessOptions extends HarnessOptions {
  /** The offsets that are committed before the start. Default: none. */
  readonly offsets?: OffsetStorage
}

/**
 * Runs a source connector and its tasks without a worker or a broker. The code that calls the
 * tasks, transformations and converters, handles errors and commits offsets is that of the worker.
 * The broker is in memory.
 *
 * ```ts
 * await using source = new SourceHarness(MyConnector, { config: { topic: 'orders' } })
 * await source.start()
 * const records = await source.take(3)
 * await source.restart() // resumes after the committed offsets
 * ```
 */
export class SourceHarness extends Harness {
  /** The committed offsets. */
  readonly offsets: OffsetStorage
  /**
   * The records that the broker has received, after the transformations, in order. It also contains
   * records that are not acknowledged, for example because of `holdAcks`.
   */
  readonly received: CompleteSourceRecord[] = []
  /** The records that the broker has acknowledged, after the transformations, in order. */
  readonly records: CompleteSourceRecord[] = []
  #control = new ProducerControl()
  /** The offsets that `poll` has returned, by source partition. */
  readonly #polled = new Map<string, string[]>()
  /** The number of polls that have not returned. */
  #polling = 0

  constructor(connector: new () => SourceConnector, options: SourceHarnessOptions) {
    const offsets = options.offsets ?? new OffsetStorage()
    super('source', connector, options, offsets)
    this.offsets = offsets
  }

  override start(): Promise<this> {
    if (this.#control.discarding) this.#control = new ProducerControl()
    return super.start()
  }

  /** Waits until a call of `poll` is pending. */
  async polling(): Promise<void> {
    await this.until(() => this.#polling > 0, 'a poll')
  }

  /**
   * Waits until at least `count` records have been acknowledged since the first start. Returns all
   * acknowledged records.
   */
  async take(count: number): Promise<readonly CompleteSourceRecord[]> {
    await this.until(() => this.records.length >= count, `${count} records; ${this.records.length} have come`)
    return this.records
  }

  /**
   * Waits until, for each source partition, the offset of the last acknowledged record or a later
   * offset is committed.
   */
  async committed(): Promise<void> {
    const last = new Map<string, CompleteSourceRecord>()
    for (const record of this.records) {
      if (record.sourcePartition && record.sourceOffset) last.set(textOf(record.sourcePartition), record)
    }
    const isCommitted = ({ sourcePartition, sourceOffset }: CompleteSourceRecord) => {
      const committed = textOf(this.offset(sourcePartition!))
      const offsets = this.#polled.get(textOf(sourcePartition)) ?? []
      // A later offset belongs to a source position without a record.
      return offsets.slice(offsets.lastIndexOf(textOf(sourceOffset))).includes(committed)
    }
    await this.until(() => [...last.values()].every(isCommitted), 'the offsets to be committed')
  }

  /** Returns the committed offset of a source partition, or null. */
  offset(partition: SourcePartition): SourceOffset | null {
    return this.offsets.offset(partition)
  }

  /**
   * Makes the broker accept at most `capacity` records without acknowledging them, until
   * `releaseAcks`. Further records wait in the runtime, which then does not call `poll`. This tests
   * back-pressure.
   */
  holdAcks(capacity = Number.POSITIVE_INFINITY): void {
    this.#control.capacity = capacity
    this.#control.hold()
  }

  /** Makes the broker acknowledge `count` more records, and no others until `releaseAcks`. */
  limitAcks(count: number): void {
    this.#control.permit(count)
  }

  releaseAcks(): void {
    this.#control.capacity = Number.POSITIVE_INFINITY
    this.#control.release()
  }

  protected override wire(_taskId: number): TaskWiring {
    // The last record that the transformations returned. The producer receives its bytes next.
    let last: CompleteSourceRecord | null = null
    const pending = new Map<object, CompleteSourceRecord>()
    class Capture implements Transformation {
      apply<R extends ConnectRecord>(record: R): R {
        last = record as unknown as CompleteSourceRecord
        return record
      }
    }
    const control = this.#control
    const { log, received, records } = this
    const notify = () => this.changed.notify()
    class Producer extends MemoryProducer {
      override append(...args: Parameters<MemoryProducer['append']>): boolean {
        if (last) pending.set(args[0], last)
        const isReceived = super.append(...args)
        if (isReceived && last && !control.discarding) {
          received.push(last)
          notify()
        }
        return isReceived
      }
    }
    const producer = () =>
      new Producer(log, control, sent => {
        const record = pending.get(sent)
        pending.delete(sent)
        if (record) records.push(record)
        notify()
      })
    return {
      clients: { producer, consumer: () => new MemoryConsumer(log, new MemoryGroup()), admin: () => memoryAdmin(log) },
      transforms: [{ type: Capture }],
    }
  }

  protected override onTaskCall(method: string): void {
    if (method === 'poll') this.#polling++
    this.changed.notify()
  }

  protected override onTaskReturn({ method }: TaskCall, _args: readonly unknown[], result: unknown): void {
    if (method !== 'poll') return
    this.#polling--
    for (const { sourcePartition, sourceOffset } of (result ?? []) as readonly SourceRecord[]) {
      if (!sourcePartition || !sourceOffset) continue
      const offsets = this.#polled.get(textOf(sourcePartition)) ?? []
      offsets.push(textOf(sourceOffset))
      this.#polled.set(textOf(sourcePartition), offsets)
    }
  }

  protected override disconnect(): void {
    this.#control.discard()
    this.#polling = 0
  }
}

/** Returns JSON text in which a bigint and an equal number look the same, as in stored offsets. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? String(item) : item))
}
