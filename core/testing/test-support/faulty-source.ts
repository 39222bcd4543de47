import { sleepOrAbort } from '../../common/async/sleep.ts'
import { type ConfigValues, defineConfig } from '../../common/config/define.ts'
import { key } from '../../common/config/key.ts'
import type { Password } from '../../common/config/password.ts'
import { SourceConnector } from '../../connect/connector.ts'
import { ConnectError, RetriableError } from '../../connect/errors.ts'
import type { SourceRecord } from '../../connect/record.ts'
import { primitive } from '../../connect/schema.ts'
import { SourceTask } from '../../connect/source-task.ts'

/** The faults that `faultySource` can give to a source. */
export type SourceFault =
  | 'undocumented'
  | 'too many tasks'
  | 'numbers in task configurations'
  | 'accepts everything'
  | 'ignores abort'
  | 'stop throws'
  | 'stop needs start'
  | 'wrong type'
  | 'offset with a date'
  | 'ignores offsets'
  | 'offset is ahead'
  | 'repeats after a restart'
  | 'repeats'
  | 'skips'
  | 'reveals a secret'
  | 'fails during an outage'

/**
 * The external system of a source: its numbers from 0 to `count - 1`, and whether it is available.
 */
export class Numbers {
  count: number
  available = true

  constructor(count: number) {
    this.count = count
  }
}

const VALUE = primitive('int32')
const WAIT_MS = 5

/** Returns a source that reads numbers. Without `fault`, the source is correct. */
export function faultySource(numbers: Numbers, fault?: SourceFault): new () => SourceConnector {
  const config = defineConfig({
    step: key.int({
      default: 3,
      importance: 'LOW',
      documentation: fault === 'undocumented' ? '' : 'The number of records in a batch.',
      ...(fault === 'accepts everything' ? {} : { min: 1 }),
    }),
    password: key.password({ default: null, importance: 'LOW', documentation: 'The password.' }),
    unreachable: key.boolean({ default: false, importance: 'LOW', documentation: 'Whether polls fail.' }),
  })

  class Task extends SourceTask<typeof config> {
    #step = 1
    #next = 0
    #failing = false
    #password: Password | null = null
    #open: { close(): void } | null = null

    override async start(settings: ConfigValues<typeof config>): Promise<void> {
      this.#step = settings.step
      this.#failing = settings.unreachable
      this.#password = settings.password
      const committed = await this.context.offsets.offset({ numbers: 'all' })
      this.#open = { close() {} }
      const position = Number(committed?.['next'] ?? 0)
      this.#next = fault === 'ignores offsets' ? 0 : position
      if (fault === 'repeats after a restart' && position > 1) this.#next = position - 1
    }

    override async poll(): Promise<SourceRecord[] | null> {
      const { signal } = this.context
      if (this.#failing) {
        const said = fault === 'reveals a secret' ? this.#password?.value : 'the password'
        throw new ConnectError(`cannot log in with ${said}`)
      }
      while (this.#next >= numbers.count || !numbers.available) {
        if (!numbers.available) {
          if (fault === 'fails during an outage') throw new ConnectError('the numbers are not available')
          throw new RetriableError('the numbers are not available')
        }
        if (fault === 'ignores abort') await new Promise(() => {})
        await sleepOrAbort(WAIT_MS, signal)
        if (signal.aborted) return null
      }
      const records: SourceRecord[] = []
      while (records.length < this.#step && this.#next < numbers.count) {
        const n = this.#next++
        if (fault === 'skips' && n === 2) continue
        records.push(this.#record(n))
        if (fault === 'repeats' && n === 2) records.push(this.#record(n))
      }
      return records
    }

    #record(n: number): SourceRecord {
      const next = fault === 'offset is ahead' ? n + 2 : n + 1
      return {
        topic: 'numbers',
        value: fault === 'wrong type' ? String(n) : n,
        valueSchema: fault === 'wrong type' && n > 0 ? { ...VALUE, type: 'string' } : VALUE,
        sourcePartition: { numbers: 'all' },
        sourceOffset: fault === 'offset with a date' ? { next, at: new Date(0) } : { next },
      }
    }

    override stop(): void {
      if (fault === 'stop throws') throw new Error('stop cannot stop')
      if (fault === 'stop needs start') this.#open!.close()
      this.#open?.close()
    }
  }

  return class FaultySource extends SourceConnector<typeof config> {
    readonly config = config
    readonly taskClass = Task
    override taskConfigs(maxTasks: number) {
      const { configs } = this.context
      if (fault === 'too many tasks') return Array.from({ length: maxTasks + 1 }, () => configs)
      if (fault === 'numbers in task configurations') return [{ ...configs, step: 3 as unknown as string }]
      return [configs]
    }
  }
}
