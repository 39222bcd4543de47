import { access, constants } from 'node:fs/promises'
import { messageOf, SinkConnector, type ValidateContext } from 'millrace/connect'
import { config, type Settings } from './config.ts'
import { JsonlSinkTask } from './task.ts'

/** Writes each partition to a file with one line of JSON for each record. */
export class JsonlSink extends SinkConnector<typeof config> {
  readonly config = config
  readonly taskClass = JsonlSinkTask

  override async validate(settings: Settings, { addError }: ValidateContext): Promise<void> {
    try {
      await access(settings.directory, constants.W_OK)
    } catch (error) {
      addError('directory', `The directory cannot be written: ${messageOf(error)}`)
    }
  }
}
