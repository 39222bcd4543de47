import { type Props, SinkConnector } from 'millrace/connect'
import { sinkConfig } from './config.ts'
import { FileStreamSinkTask } from './sink-task.ts'

/** Appends the records of its topics to one file. */
export class FileStreamSinkConnector extends SinkConnector<typeof sinkConfig> {
  readonly config = sinkConfig
  readonly taskClass = FileStreamSinkTask

  /**
   * Returns one task, because lines of two writers would mix, and neither writer could repair an
   * incomplete last line.
   */
  override taskConfigs(): Props[] {
    return [this.context.configs]
  }
}
