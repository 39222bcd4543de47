import { isAbsolute } from 'node:path'
import {
  type AlteredOffsets,
  type Props,
  SourceConnector,
  type SourceOffset,
  type SourcePartition,
} from 'millrace/connect'
import { type SourceSettings, sourceConfig } from './config.ts'
import { errors } from './errors.ts'
import { FileStreamSourceTask } from './source-task.ts'

/** Reads the lines of one file into one topic. */
export class FileStreamSourceConnector extends SourceConnector<typeof sourceConfig> {
  readonly config = sourceConfig
  readonly taskClass = FileStreamSourceTask

  override start({ file }: SourceSettings): void {
    if (file && !isAbsolute(file))
      this.context.logger.warn(
        `the path of the file '${file}' is relative to the working directory of the worker, ${process.cwd()}`,
      )
  }

  /** Returns one task, because one file needs only one reader. */
  override taskConfigs(): Props[] {
    return [this.context.configs]
  }

  /** Checks the offsets that a user wants to set. */
  override alterOffsets({ file }: SourceSettings, offsets: AlteredOffsets): boolean {
    if (!file) throw errors.create('MR_FILE_OFFSET', { what: 'standard input has no offsets' })
    for (const [partition, offset] of offsets) {
      const { filename } = partition
      if (typeof filename !== 'string')
        throw errors.create('MR_FILE_OFFSET', {
          what: `the partition ${shown(partition)} has no string 'filename'`,
        })
      if (offset === null) continue
      const { position } = offset
      if (typeof position !== 'number' || !Number.isSafeInteger(position) || position < 0) {
        throw errors.create('MR_FILE_OFFSET', {
          what: `in the offset ${shown(offset)}, 'position' is not a whole number of at least 0`,
        })
      }
    }
    return true
  }
}

/** JSON.rawJSON, which TypeScript does not declare yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }

function shown(value: SourcePartition | SourceOffset): string {
  return JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? rawJSON(String(v)) : v))
}
