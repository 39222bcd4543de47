import { messageOf, type SourceOffset } from 'millrace/connect'
import { OffsetStorage, SourceHarness } from 'millrace/testing'
import { FileStreamSourceConnector } from '../source-connector.ts'

/** A harness for tests of the file source. The topic is `t`. */
export class FileSource extends SourceHarness {
  constructor(config: Readonly<Record<string, string>>, committed: SourceOffset | null = null) {
    const offsets = new OffsetStorage()
    if (committed) offsets.set({ filename: config['file'] }, committed)
    super(FileStreamSourceConnector, { config: { topic: 't', ...config }, offsets })
  }

  /** Starts a source with the committed offset `committed`. */
  static async run(
    config: Readonly<Record<string, string>>,
    committed: SourceOffset | null = null,
  ): Promise<FileSource> {
    return new FileSource(config, committed).start()
  }

  get lines(): unknown[] {
    return this.records.map(r => r.value)
  }

  get positions(): unknown[] {
    return this.records.map(r => r.sourceOffset?.['position'])
  }

  get polls(): number {
    return this.calls.filter(c => c.method === 'poll').length
  }

  /** The messages of the errors that `poll` threw. */
  get problems(): string[] {
    return this.calls.flatMap(c => (c.method === 'poll' && c.error !== undefined ? [messageOf(c.error)] : []))
  }

  /** The messages of the errors of skipped lines (`errors.log.enable`). */
  get skipped(): string[] {
    return this.logger.lines.filter(l => l.level === 'ERROR').map(l => messageOf(l.error))
  }
}
