import { type SentRecord, SinkHarness } from 'millrace/testing'
import { FileStreamSinkConnector } from '../sink-connector.ts'

/** A harness for tests of the file sink. */
export class FileSink extends SinkHarness {
  constructor(config: Readonly<Record<string, string>>) {
    super(FileStreamSinkConnector, { config })
  }

  static async run(config: Readonly<Record<string, string>>): Promise<FileSink> {
    return new FileSink(config).start()
  }

  /** The errors that `put` threw. */
  get refusals(): unknown[] {
    return this.calls.flatMap(c => (c.method === 'put' && c.error !== undefined ? [c.error] : []))
  }

  /** Sends values, and waits until `put` has accepted them. */
  put(...values: readonly unknown[]): Promise<void> {
    return this.putRecords(...values.map(value => ({ value })))
  }

  async putRecords(...records: readonly SentRecord[]): Promise<void> {
    this.send(...records)
    await this.delivered()
  }

  /** Sends values, and returns the error that `put` throws. The runtime repeats the `put` later. */
  async refused(...values: readonly unknown[]): Promise<unknown> {
    this.send(...values.map(value => ({ value })))
    return this.refusedAgain()
  }

  /** Waits for the next `put` that throws, and returns its error. */
  async refusedAgain(): Promise<unknown> {
    const before = this.refusals.length
    await this.until(() => this.refusals.length > before, 'put to throw')
    return this.refusals[before]
  }
}
