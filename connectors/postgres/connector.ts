import { type AlteredOffsets, SourceConnector, type SourcePartition, type ValidateContext } from 'millrace/connect'
import { unusedSettings } from '../cdc/index.ts'
import { type PostgresValues, postgresConfig } from './config.ts'
import { errors } from './errors.ts'
import { offsetFault } from './offset-fields.ts'
import { parseOptions } from './options.ts'
import { needsSlotAgain } from './plan.ts'
import { PostgresTask } from './task.ts'
import { validate } from './validate.ts'

/**
 * Captures the changes of a PostgreSQL database, like Debezium's connector. The connector has one
 * task, because only one connection can read a slot at a time.
 */
export class PostgresConnector extends SourceConnector<typeof postgresConfig> {
  readonly config = postgresConfig
  readonly taskClass = PostgresTask

  override start(settings: PostgresValues): void {
    const props = this.context.configs
    const options = parseOptions(settings, props)
    for (const { key, reason } of unusedSettings(postgresConfig, props))
      this.context.logger.warn(`The configuration '${key}' has no effect: ${reason}`)
    const { slot, snapshot } = options
    if (slot.dropOnStop && needsSlotAgain(snapshot.mode))
      this.context.logger.warn(
        `slot.drop.on.stop=true with snapshot.mode=${snapshot.mode}: once an offset is committed, a restart fails because the slot no longer exists. Set slot.drop.on.stop=false, or snapshot.mode=when_needed or always.`,
      )
  }

  override validate(settings: PostgresValues, context: ValidateContext): Promise<void> {
    return validate(settings, context)
  }

  override alterOffsets(settings: PostgresValues, offsets: AlteredOffsets): boolean {
    for (const [partition, offset] of offsets) {
      const what = partitionFault(partition, settings['topic.prefix']) ?? (offset && offsetFault(offset, true))
      if (what) throw errors.create('MR_PG_OFFSET_INVALID', { what })
    }
    // the runtime writes the offsets
    return false
  }
}

function partitionFault(partition: SourcePartition, prefix: string | null): string | null {
  const other = Object.keys(partition).find(key => key !== 'server')
  if (other !== undefined)
    return `"${other}" is not a field of a partition; the partition must be {"server": "<topic.prefix>"}`
  const { server } = partition
  if (typeof server !== 'string') return 'the partition must be {"server": "<topic.prefix>"}'
  return server === prefix ? null : `"server" is '${server}', but topic.prefix is '${prefix}'`
}
