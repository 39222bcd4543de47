import { primitive, type SourceRecord, SourceTask, sleepOrAbort } from 'millrace/connect'
import { fetchItems } from './api.ts'
import type { config, Settings } from './config.ts'

const ID = primitive('int64')

/** Reads the items of the API, page by page. */
export class HttpSourceTask extends SourceTask<typeof config> {
  #settings!: Settings
  /** The id of the last item that `poll` returned. */
  #after = 0

  override async start(settings: Settings): Promise<void> {
    this.#settings = settings
    const committed = await this.context.offsets.offset({ url: settings.url })
    this.#after = Number(committed?.['after'] ?? 0)
    this.context.logger.info(`reading ${settings.url} after item ${this.#after}`)
  }

  override async poll(): Promise<SourceRecord[] | null> {
    const { signal } = this.context
    const items = await fetchItems(this.#settings, this.#after, signal)
    if (items.length === 0) {
      await sleepOrAbort(this.#settings['poll.interval.ms'], signal)
      return null
    }
    const records = items.map(item => this.#record(item))
    this.#after = items.at(-1)!.id
    return records
  }

  #record(item: { readonly id: number }): SourceRecord {
    return {
      topic: this.#settings.topic,
      keySchema: ID,
      key: item.id,
      value: item,
      sourcePartition: { url: this.#settings.url },
      sourceOffset: { after: item.id },
    }
  }
}
