import { defineConfig } from '../../common/config/define.ts'
import { key } from '../../common/config/key.ts'
import { SinkConnector } from '../../connect/connector.ts'
import { ConnectError, DataError, RetriableError } from '../../connect/errors.ts'
import type { SinkRecord, TopicPartition, TopicPartitionOffset } from '../../connect/record.ts'
import { SinkTask } from '../../connect/sink-task.ts'

/** The faults that `faultySink` can give to a sink. */
export type SinkFault =
  | 'commits early'
  | 'commits what it buffers'
  | 'never flushes'
  | 'forgets its buffer'
  | 'forgets revoked partitions'
  | 'writes twice'
  | 'changes the order'
  | 'fails on an empty batch'
  | 'fails on tombstones'
  | 'writes twice after a restart'
  | 'fails on bad records'
  | 'drops bad records'
  | 'reports bad records late'
  | 'commits transformed positions'
  | 'commits transformed offsets'
  | 'closes transformed topics'
  | 'fails during an outage'
  | 'hangs in stop'
  | 'writes its buffer in stop'

/** The external system of a sink: the written numbers, and whether it is available. */
export class Target {
  readonly written: number[] = []
  available = true
  starts = 0
}

/**
 * Returns a sink that buffers numbers and writes them in `flush`. Without `fault`, the sink is
 * correct.
 */
export function faultySink(target: Target, fault?: SinkFault): new () => SinkConnector {
  const config = defineConfig({
    unused: key.string({ default: null, importance: 'LOW', documentation: 'The sink ignores this key.' }),
  })

  class Task extends SinkTask<typeof config> {
    #buffer: SinkRecord[] = []
    #last: number | null = null

    override start(): void {
      target.starts++
      if (fault === 'writes twice after a restart' && target.starts > 1)
        target.written.push(...target.written.slice(-1))
    }

    override async put(records: SinkRecord[]): Promise<void> {
      if (records.length === 0) {
        if (fault === 'fails on an empty batch') throw new ConnectError('there is nothing to write')
        if (fault === 'commits what it buffers') target.written.push(...this.#buffer.splice(0).flatMap(numberOf))
        return
      }
      if (!target.available) {
        if (fault === 'fails during an outage') throw new ConnectError('the target is not available')
        throw new RetriableError('the target is not available')
      }
      for (const record of records) {
        const isBad = record.value === 'bad'
        if (record.value === null && fault === 'fails on tombstones') throw new DataError('a tombstone')
        if (isBad && fault === 'drops bad records') continue
        if (isBad && fault === 'reports bad records late') {
          setTimeout(() => void this.context.errantRecordReporter?.report(record, new DataError('bad')), 50)
          continue
        }
        if (isBad) throw fault === 'fails on bad records' ? new ConnectError('bad') : new DataError('bad')
      }
      this.#buffer.push(...(fault === 'changes the order' ? [...records].reverse() : records))
      if (fault === 'commits what it buffers' && this.#buffer.length >= 4)
        target.written.push(...this.#buffer.splice(0).flatMap(numberOf))
    }

    override async preCommit(offsets: readonly TopicPartitionOffset[]): Promise<readonly TopicPartitionOffset[]> {
      if (fault === 'commits early') {
        // The offsets of these numbers are committed now, but the numbers are written later.
        const late = this.#buffer.splice(0)
        setTimeout(() => target.written.push(...late.flatMap(numberOf)), 50)
        return offsets
      }
      if (fault === 'writes its buffer in stop') return offsets
      if (fault === 'never flushes' || fault === 'commits what it buffers') return offsets
      if (fault === 'forgets its buffer' && this.#last === null && this.#buffer.length > 0) {
        this.#last = this.#buffer.length
        this.#buffer = []
        return offsets
      }
      const written = this.#buffer.flatMap(numberOf)
      target.written.push(...(fault === 'writes twice' ? written.flatMap(n => [n, n]) : written))
      const last = this.#buffer.at(-1)
      this.#buffer = []
      if (last && fault === 'commits transformed positions')
        return [{ topic: last.topic, partition: last.partition, offset: last.originalOffset + 1 }]
      if (last && fault === 'commits transformed offsets')
        return [{ topic: last.originalTopic, partition: last.originalPartition, offset: last.offset + 1 }]
      return offsets
    }

    override async close(partitions: readonly TopicPartition[]): Promise<void> {
      if (fault !== 'forgets revoked partitions') {
        const gone = new Set(partitions.map(p => `${p.topic}-${p.partition}`))
        const positionOf = (r: SinkRecord) =>
          fault === 'closes transformed topics'
            ? `${r.topic}-${r.originalPartition}`
            : `${r.originalTopic}-${r.originalPartition}`
        this.#buffer = this.#buffer.filter(r => !gone.has(positionOf(r)))
      }
    }

    override stop(): Promise<void> | void {
      if (fault === 'hangs in stop') return new Promise(() => {})
      if (fault === 'writes its buffer in stop') target.written.push(...this.#buffer.flatMap(numberOf))
    }
  }

  return class FaultySink extends SinkConnector<typeof config> {
    readonly config = config
    readonly taskClass = Task
  }
}

const numberOf = (record: SinkRecord): number[] => (typeof record.value === 'number' ? [record.value] : [])
