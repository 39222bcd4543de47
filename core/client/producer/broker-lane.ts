import type { PartitionQueue } from './partition-queue.ts'

/** What is waiting for, and on its way to, one broker. */
export class BrokerLane {
  readonly id: number
  /** Partitions led by it that have a batch to send, the longest waiting first. */
  ready: PartitionQueue[] = []
  inFlight = 0
  connecting = false

  constructor(id: number) {
    this.id = id
  }

  add(queue: PartitionQueue): void {
    queue.listed = true
    this.ready.push(queue)
  }

  /** Takes all that is ready, to be looked at one by one. */
  takeReady(): PartitionQueue[] {
    const { ready } = this
    this.ready = []
    for (const q of ready) q.listed = false
    return ready
  }
}
