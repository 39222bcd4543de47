import type { PartitionQueue } from './partition-queue.ts'

/**
 * The state of sending to one broker: the partitions with a batch to send, and the number of
 * requests in flight.
 */
export class BrokerLane {
  readonly id: number
  /**
   * The partitions that the broker leads and that have a batch to send, in the order in which they
   * were added.
   */
  #ready: PartitionQueue[] = []
  #inFlight = 0
  #isConnecting = false

  constructor(id: number) {
    this.id = id
  }

  get hasReady(): boolean {
    return this.#ready.length > 0
  }

  /** The number of requests that wait for a response. */
  get inFlight(): number {
    return this.#inFlight
  }

  add(queue: PartitionQueue): void {
    queue.setListed(true)
    this.#ready.push(queue)
  }

  /** Removes and returns all partitions with a batch to send. */
  takeReady(): PartitionQueue[] {
    const ready = this.#ready
    this.#ready = []
    for (const queue of ready) queue.setListed(false)
    return ready
  }

  requestSent(): void {
    this.#inFlight++
  }

  requestDone(): void {
    this.#inFlight--
  }

  /**
   * Marks the start of a connection attempt. Returns false if an attempt is already in progress.
   */
  startConnecting(): boolean {
    if (this.#isConnecting) return false
    this.#isConnecting = true
    return true
  }

  endConnecting(): void {
    this.#isConnecting = false
  }
}
