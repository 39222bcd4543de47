import { type Props, parseConfig, SinkConnector } from 'millrace/connect'
import { sinkConfig } from './config.ts'
import { FileStreamSinkTask } from './sink-task.ts'
import { version } from './version.ts'

/** Appends the records of its topics to one file. */
export class FileStreamSinkConnector extends SinkConnector {
  readonly version = version
  readonly config = sinkConfig
  readonly taskClass = FileStreamSinkTask
  #props: Props = {}

  override start(props: Props): void {
    parseConfig(sinkConfig, props)
    this.#props = props
  }

  /** One file, one writer: a single task, so that lines of several do not mix and a torn end can be mended. */
  override taskConfigs(): Props[] {
    return [this.#props]
  }

  override stop(): void {}
}
