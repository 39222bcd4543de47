import { isAbsolute } from 'node:path'
import { type Props, parseConfig, SourceConnector, type SourceOffset, type SourcePartition } from 'millrace/connect'
import { sourceConfig } from './config.ts'
import { errors } from './errors.ts'
import { FileStreamSourceTask } from './source-task.ts'
import { version } from './version.ts'

/** Reads the lines of one file into one topic. */
export class FileStreamSourceConnector extends SourceConnector {
  readonly version = version
  readonly config = sourceConfig
  readonly taskClass = FileStreamSourceTask
  #props: Props = {}

  override start(props: Props): void {
    const { file } = parseConfig(sourceConfig, props)
    if (file && !isAbsolute(file))
      this.context.logger.warn(
        `the file '${file}' is relative to the working directory of the worker, ${process.cwd()}`,
      )
    this.#props = props
  }

  /** One file, one reader: always a single task. */
  override taskConfigs(): Props[] {
    return [this.#props]
  }

  override stop(): void {}

  override exactlyOnceSupport(props: Props): 'SUPPORTED' | 'UNSUPPORTED' {
    // standard input cannot be read again
    return parseConfig(sourceConfig, props).file ? 'SUPPORTED' : 'UNSUPPORTED'
  }

  /** Checks what REST wants to set; the runtime stores it. */
  override async alterOffsets(
    props: Props,
    offsets: ReadonlyArray<readonly [SourcePartition, SourceOffset | null]>,
  ): Promise<boolean> {
    const { file } = parseConfig(sourceConfig, props)
    if (!file) throw errors.create('MR_FILE_OFFSET', { what: 'standard input has no offsets' })
    for (const [partition, offset] of offsets) {
      const { filename } = partition
      if (typeof filename !== 'string')
        throw errors.create('MR_FILE_OFFSET', {
          what: `the partition ${shown(partition)} has no text 'filename'`,
        })
      if (offset === null) continue
      const { position } = offset
      if (typeof position !== 'number' || !Number.isSafeInteger(position) || position < 0) {
        throw errors.create('MR_FILE_OFFSET', {
          what: `the offset ${shown(offset)} has no 'position' that is a whole number from 0`,
        })
      }
    }
    return true
  }
}

/** A newer JSON than TypeScript's library knows. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }

function shown(value: SourcePartition | SourceOffset): string {
  return JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? rawJSON(String(v)) : v))
}
