import { LogManager } from '../../log/log-manager.ts'
import { configOf, recordingLogger } from '../../log/test-support/logs.ts'
import { applyRecords } from '../apply.ts'
import { EMPTY_IMAGE, type MetadataImage } from '../image.ts'
import { MetadataLog } from '../metadata-log.ts'
import { decodeRecord, type MetadataRecord } from '../records.ts'
import { Replay } from '../replay.ts'
import { Snapshotter } from '../snapshotter.ts'

/**
 * A metadata log with small segments, which is opened as a broker opens it. `lines` contains the
 * lines that its logger received.
 */
export class MetadataRig {
  readonly logs: LogManager
  readonly log: MetadataLog
  readonly lines: string[]
  image: MetadataImage = EMPTY_IMAGE
  #now = 1000

  private constructor(logs: LogManager, log: MetadataLog, lines: string[]) {
    this.logs = logs
    this.log = log
    this.lines = lines
  }

  static async open(dir: string): Promise<MetadataRig> {
    const logger = recordingLogger()
    const logs = await LogManager.open({ dirs: [dir], defaults: configOf(), logger })
    const log = await MetadataLog.open(logs, 1, { segmentBytes: 600, segmentMs: 1e9, logger })
    return new MetadataRig(logs, log, logger.lines)
  }

  /** Restores the newest snapshot and replays the log, as a broker does when it starts. */
  async load(): Promise<MetadataImage> {
    const replay = new Replay(await this.log.restore())
    for await (const batch of this.log.replay(replay.image.offset + 1)) replay.add(batch)
    this.image = replay.image
    return this.image
  }

  /** Writes each record as a separate batch. */
  async write(...records: (MetadataRecord | Buffer)[]): Promise<void> {
    for (const r of records) {
      const bytes = Buffer.isBuffer(r) ? r : r.bytes
      const offset = await this.log.append([{ bytes } as MetadataRecord], 1, this.#now)
      this.image = applyRecords(this.image, [decodeRecord(bytes)], offset, 1)
    }
  }

  /** Writes a snapshot, and removes the metadata that the snapshot replaces. */
  async snapshot(): Promise<void> {
    this.#now += 1000
    const limits = { maxBytesBetween: 1, maxIntervalMs: 0 }
    const retention = { ms: 1, bytes: -1 }
    const snapshotter = new Snapshotter({ log: this.log, limits, retention, logger: recordingLogger() }, 0)
    snapshotter.tick(this.image, this.#now)
    await snapshotter.idle()
  }

  topics(): string[] {
    return [...this.image.topicsByName.keys()].sort()
  }
}
