import {
  type ConfigValue,
  ConnectError,
  type Props,
  SourceConnector,
  type SourceOffset,
  type SourcePartition,
} from '../../core/connect/index.ts'
import { unsupportedUses } from '../cdc/index.ts'
import { postgresConfig, UNSUPPORTED } from './config.ts'
import { lsnOf } from './lsn.ts'
import { parseOptions } from './options.ts'
import { VERSION } from './source-block.ts'
import { PostgresTask } from './task.ts'
import { validate } from './validate.ts'

/** Change data capture from PostgreSQL; Debezium's connector of the same name, anew. One task: a slot has one reader. */
export class PostgresConnector extends SourceConnector {
  readonly version = VERSION
  readonly config = postgresConfig
  readonly taskClass = PostgresTask
  #props: Props = {}

  start(props: Props): void {
    parseOptions(props)
    this.#props = props
    for (const use of unsupportedUses(UNSUPPORTED, postgresConfig, props))
      this.context.logger.warn(`${use.key}=${props[use.key]} has no effect: ${use.reason}`)
  }

  taskConfigs(maxTasks: number): Props[] {
    return maxTasks > 0 ? [this.#props] : []
  }

  stop(): void {}

  override validate(props: Props, values: ConfigValue[], signal: AbortSignal): Promise<ConfigValue[]> {
    return validate(props, values, signal)
  }

  override async alterOffsets(
    props: Props,
    offsets: ReadonlyArray<readonly [SourcePartition, SourceOffset | null]>,
  ): Promise<boolean> {
    for (const [partition, offset] of offsets) {
      const server = partition['server']
      if (typeof server !== 'string' || Object.keys(partition).length !== 1)
        throw new ConnectError(`The partition must be {"server": "<topic.prefix>"}, not ${JSON.stringify(partition)}.`)
      if (server !== props['topic.prefix'])
        throw new ConnectError(`The partition's server is '${server}', and topic.prefix is '${props['topic.prefix']}'.`)
      if (offset !== null && lsnOf(offset['lsn']) === null)
        throw new ConnectError('The offset must hold "lsn", a position in the write-ahead log as a number.')
    }
    // they are fine; the runtime writes them
    return false
  }
}
