import type { PartitionQueue } from './partition-queue.ts'

/**
 * The requests to one broker: the partitions with something to send, and the requests in flight.
 */
export class BrokerLane {
  readonly id: number
  /**
   * Partitions that the broker leads and that have a batch to send. The one that waits longest is
   * first.
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

  /** Removes and returns all partitions in the list. */
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

  /** Starts to connect. Returns false if a connection attempt is in progress. */
  startConnecting(): boolean {
    if (this.#isConnecting) return false
    this.#isConnecting = true
    return true
  }

  endConnecting(): void {
    this.#isConnecting = false
  }
}
