import { messageOf, SourceConnector, type ValidateContext } from 'millrace/connect'
import { fetchItems } from './api.ts'
import { config, type Settings } from './config.ts'
import { HttpSourceTask } from './task.ts'

/** Reads an HTTP API that returns JSON. */
export class HttpSource extends SourceConnector<typeof config> {
  readonly config = config
  readonly taskClass = HttpSourceTask

  /** Sends one request, so that an invalid address is found before the connector runs. */
  override async validate(settings: Settings, { addError, signal }: ValidateContext): Promise<void> {
    try {
      await fetchItems(settings, 0, signal)
    } catch (error) {
      addError('url', messageOf(error))
    }
  }
}
