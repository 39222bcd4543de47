import { createHash } from 'node:crypto'
import { type HarnessOptions, type SentRecord, SinkHarness } from 'millrace/testing'
import { ElasticsearchSinkConnector } from '../connector.ts'

export interface ElasticsearchSinkOptions extends Omit<HarnessOptions, 'config'> {
  /** Whether invalid records go to a dead letter queue. */
  readonly reporter?: boolean
}

const REPORTER = {
  'errors.tolerance': 'all',
  'errors.deadletterqueue.topic.name': 'dead-letters',
  'errors.deadletterqueue.context.headers.enable': 'true',
}

/** A harness with the Elasticsearch sink, which reads one topic, and helpers for its tests. */
export class ElasticsearchSink extends SinkHarness {
  readonly topic: string

  constructor(topic: string, config: Readonly<Record<string, string>>, options: ElasticsearchSinkOptions = {}) {
    const { reporter = false, ...rest } = options
    super(ElasticsearchSinkConnector, {
      ...rest,
      config: { topics: topic, 'schema.ignore': 'true', ...(reporter && REPORTER), ...config },
    })
    this.topic = topic
  }

  record(key: unknown, value: unknown, more: Partial<SentRecord> = {}): SentRecord {
    return { key, value, timestamp: 1_700_000_000_000, ...more }
  }

  /** Sends records, and waits until `put` has accepted them. */
  async put(records: readonly SentRecord[]): Promise<void> {
    this.send(...records)
    await this.delivered()
  }

  /** Sends records, and waits until they are committed. */
  async write(records: readonly SentRecord[]): Promise<void> {
    this.send(...records)
    await this.committed()
  }

  /** Sends records, and returns the message of the error that fails the task. */
  async rejected(records: readonly SentRecord[]): Promise<string> {
    this.send(...records)
    return (await this.failed()).message
  }

  /** Waits until the status shows why the task accepts no records, and returns the message. */
  async refusal(): Promise<string> {
    await this.until(() => this.waitingFor !== null, 'put to report a problem')
    return this.waitingFor!
  }

  /** The errors that `put` threw. */
  get putErrors(): unknown[] {
    return this.calls.flatMap(c => (c.method === 'put' && c.error !== undefined ? [c.error] : []))
  }

  /** Returns the committed offset after the next commit. */
  async nextCommit(partition = 0): Promise<number> {
    const commits = () => this.calls.filter(c => c.method === 'preCommit').length
    const before = commits()
    // The first of these commits may have begun before this call.
    await this.until(() => commits() > before + 2, 'a commit')
    return this.offset(partition)
  }

  /** The keys of the records in the dead letter queue, with the messages of their errors. */
  get reported(): { readonly key: unknown; readonly message: string }[] {
    return this.deadLetters().map(({ key, headers }) => ({
      key,
      message: headers.get('__connect.errors.exception.message') ?? '',
    }))
  }

  /** The warnings of the connector, without those of the runtime. */
  get warnings(): string[] {
    const messages = this.logger.lines.filter(l => l.level === 'WARN').map(l => l.message)
    // The runtime logs this warning when it retries `put`.
    return messages.filter(m => !/put of \d+ records failed/.test(m))
  }
}

/** Returns an index name that is unique for this run. */
export function uniqueName(seed: string): string {
  return `t-${createHash('sha1').update(`${seed}${process.pid}${Date.now()}${Math.random()}`).digest('hex').slice(0, 16)}`
}
