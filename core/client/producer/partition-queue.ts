import type { ProducerBatch } from './batch.ts'
import { Sequences } from './sequences.ts'

/** The batches of one partition, in the order in which their records were appended. */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  readonly sequences = new Sequences()
  /** All whose listeners have not been told, the oldest first. */
  readonly order: ProducerBatch[] = []
  /** After a failure nothing is sent before this time (performance.now). */
  notBefore = 0
  attempts = 0
  /** The size of the last batch: a guess at that of the next. */
  sizeHint = 1024
  /** Waits in a broker's list of partitions with something to send. */
  listed = false

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  /** The batch that takes further records, if the last one still does. */
  get open(): ProducerBatch | null {
    const last = this.order.at(-1)
    return last && !last.closed && !last.done ? last : null
  }

  /** The batch that is to be sent next: the first that is neither done nor on its way. */
  get next(): ProducerBatch | null {
    for (const b of this.order) if (!b.done && !b.onWire) return b
    return null
  }

  get anyOnWire(): boolean {
    return this.order.some(b => b.onWire)
  }

  /** Puts the parts of a batch in its place. */
  replace(batch: ProducerBatch, parts: readonly ProducerBatch[]): void {
    this.order.splice(this.order.indexOf(batch), 1, ...parts)
  }

  /** Takes off the batches at the front whose fate is known: their listeners are to be told now. */
  takeDone(): ProducerBatch[] {
    let n = 0
    while (n < this.order.length && this.order[n]!.done) n++
    return n === 0 ? [] : this.order.splice(0, n)
  }
}
