import { once } from 'node:events'
import { type SinkRecord, SinkTask } from 'millrace/connect'
import { javaToString } from 'millrace/connect/java'
import { AppendedFile } from './appended-file.ts'
import type { SinkSettings, sinkConfig } from './config.ts'
import { jsonText } from './json-text.ts'

/** The wait before a failed batch is retried, in milliseconds. */
const RETRY_MS = 2000

/** Appends one line for each record. Offsets are committed only after the lines are on the disk. */
export class FileStreamSinkTask extends SinkTask<typeof sinkConfig> {
  #render: typeof javaToString = javaToString
  #file: AppendedFile | null = null

  override start({ file, format }: SinkSettings): void {
    const json = format.toLowerCase() === 'json'
    if (json) this.#render = jsonText
    if (file !== null) this.#file = new AppendedFile(file, json, this.context.logger)
  }

  override async put(records: SinkRecord[]): Promise<void> {
    if (records.length === 0) return
    let text = ''
    for (const record of records) text += `${this.#render(record.valueSchema, record.value)}\n`
    if (this.#file) {
      try {
        await this.#file.append(Buffer.from(text))
      } catch (error) {
        this.context.timeout(RETRY_MS)
        throw error
      }
    } else if (!process.stdout.write(text)) await once(process.stdout, 'drain', { signal: this.context.signal })
  }

  override async flush(): Promise<void> {
    await this.#file?.sync()
  }

  override async stop(): Promise<void> {
    await this.#file?.close()
  }
}
