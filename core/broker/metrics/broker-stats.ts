import { Latencies } from './latencies.ts'

/** The counters of a topic. The request handlers increase them. */
export class TopicStats {
  messagesIn = 0
  bytesIn = 0
  bytesOut = 0
  bytesRejected = 0
  produceRequests = 0
  failedProduceRequests = 0
  fetchRequests = 0
  failedFetchRequests = 0
}

export type TopicCounter = keyof TopicStats

/** The counters of an API, such as Produce. */
export class ApiStats {
  readonly name: string
  readonly times = new Latencies(performance.now())
  /** The number of requests. The index is the version of the request. */
  readonly requests: number[] = []
  /**
   * The number of responses by error code. For Produce and Fetch, each partition in a response
   * counts.
   */
  readonly errors = new Map<number, number>()

  constructor(name: string) {
    this.name = name
  }

  answered(version: number, startedAt: number): void {
    const now = performance.now()
    this.requests[version] = (this.requests[version] ?? 0) + 1
    this.times.record(now - startedAt, now)
  }

  error(code: number): void {
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1)
  }
}

/** The counters of one listener. The connections of the listener increase them. */
export class ListenerStats {
  readonly name: string
  connections = 0
  connectionsCreated = 0
  connectionsClosed = 0
  bytesIn = 0
  bytesOut = 0
  requests = 0
  responses = 0

  constructor(name: string) {
    this.name = name
  }
}

/**
 * The counters of a running broker. The counters are plain numbers, so counting is cheap. A scrape
 * computes the metrics from the counters.
 */
export class BrokerStats {
  readonly apis = new Map<number, ApiStats>()
  readonly listeners = new Map<string, ListenerStats>()
  isrShrinks = 0
  isrExpands = 0
  readonly #topics = new Map<string, TopicStats>()
  /**
   * The sums of the counters of deleted topics. The totals include these sums, so that a total
   * never decreases.
   */
  readonly #deleted = new TopicStats()

  /** Returns the counters of a topic. Creates them if necessary. */
  topic(name: string): TopicStats {
    let stats = this.#topics.get(name)
    if (!stats) this.#topics.set(name, (stats = new TopicStats()))
    return stats
  }

  api(key: number, name: string): ApiStats {
    let stats = this.apis.get(key)
    if (!stats) this.apis.set(key, (stats = new ApiStats(name)))
    return stats
  }

  listener(name: string): ListenerStats {
    let stats = this.listeners.get(name)
    if (!stats) this.listeners.set(name, (stats = new ListenerStats(name)))
    return stats
  }

  topics(): [string, TopicStats][] {
    return [...this.#topics]
  }

  /** Returns the total of a counter over all topics, including deleted topics. */
  total(counter: TopicCounter): number {
    let sum = this.#deleted[counter]
    for (const stats of this.#topics.values()) sum += stats[counter]
    return sum
  }

  /**
   * Removes the counters of topics for which `exists` returns false. The totals still include their
   * values.
   */
  retainTopics(exists: (name: string) => boolean): void {
    for (const [name, stats] of this.#topics) {
      if (exists(name)) continue
      for (const counter of Object.keys(stats) as TopicCounter[]) this.#deleted[counter] += stats[counter]
      this.#topics.delete(name)
    }
  }
}

/** Counts the partitions of a topic whose in-sync replicas changed between two metadata images. */
export function countIsrChanges(stats: BrokerStats, before: TopicIsr | undefined, after: TopicIsr | undefined): void {
  if (!before || !after || before === after) return
  for (const [i, { isr }] of after.partitions.entries()) {
    const previous = before.partitions[i]?.isr
    if (!previous || previous === isr) continue
    if (isr.some(id => !previous.includes(id))) stats.isrExpands++
    if (previous.some(id => !isr.includes(id))) stats.isrShrinks++
  }
}

type TopicIsr = { readonly partitions: readonly { readonly isr: readonly number[] }[] }
