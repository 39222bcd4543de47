import { inspect } from 'node:util'
import { parseConfig } from '../../common/config/parse.ts'
import { isRetriable } from '../../common/errors/error-table.ts'
import type { ConnectorContext } from '../../connect/connector.ts'
import type { Props } from '../../connect/props.ts'
import type { SinkTask, SinkTaskContext } from '../../connect/sink-task.ts'
import type { SourceTask, SourceTaskContext } from '../../connect/source-task.ts'
import { taskSettings } from '../../worker/task/host/plugin-settings.ts'
import { validateConnector } from '../configured.ts'
import type { Harness } from '../harness.ts'
import { MemoryLogger } from '../memory-logger.ts'
import {
  assert,
  type ConformanceCheck,
  type ConformanceOptions,
  type ConnectorClass,
  type Fixture,
  withFixture,
  within,
} from './check.ts'

/** The parts of a suite that the shared checks need. */
export interface SharedParts<F extends Fixture, H extends Harness> {
  readonly connector: ConnectorClass
  readonly options: ConformanceOptions<F>
  harness(fixture: F, config?: Props): H
  /** Waits until the tasks have processed all data and wait for more. */
  idle(harness: H, fixture: F): Promise<void>
}

const DEFAULT_STOP_MS = 5000

/** Returns the checks that source and sink connectors share. */
export function sharedChecks<F extends Fixture, H extends Harness>(parts: SharedParts<F, H>): ConformanceCheck[] {
  const { connector, options } = parts
  const stopMs = options.stopWithinMs ?? DEFAULT_STOP_MS
  const checks: ConformanceCheck[] = [
    { name: 'every key is documented and its default is valid', run: async () => checkDeclaration(connector) },
    {
      name: 'validation accepts the configuration of the fixture',
      run: () =>
        withFixture(options, async ({ config }) => {
          const values = await validateConnector(new connector(), config)
          assert.deepEqual(
            values.flatMap(v => v.errors),
            [],
            'validation reports errors for the configuration of the fixture',
          )
        }),
    },
    {
      name: 'taskConfigs returns at most tasks.max valid configurations, and all values are strings',
      run: () => withFixture(options, ({ config }) => checkTaskConfigs(connector, config)),
    },
    {
      name: 'stop of a task can be called twice, without start, and after a failed start',
      run: () => withFixture(options, ({ config }) => checkStop(connector, config, stopMs)),
    },
    {
      name: 'an idle task stops at once',
      run: () =>
        withFixture(options, async fixture => {
          const harness = parts.harness(fixture)
          await harness.start()
          await parts.idle(harness, fixture)
          await within(
            stopMs,
            harness.stop(),
            'the task did not stop: poll and put must end when context.signal aborts',
          )
          const stops = harness.calls.filter(call => call.method === 'stop')
          assert.equal(stops.length, harness.startedTasks, 'stop of each task is called once')
          assert.deepEqual(
            stops.flatMap(call => call.error ?? []),
            [],
            'stop threw an error',
          )
        }),
    },
  ]
  for (const { config, key } of options.invalid ?? []) {
    checks.push({
      name: `validation reports an error for ${key} if the configuration contains ${JSON.stringify(config)}`,
      run: () =>
        withFixture(options, async fixture => {
          const values = await validateConnector(new connector(), { ...fixture.config, ...config })
          const wrong = values.filter(v => v.errors.length > 0).map(v => v.name)
          assert.ok(wrong.includes(key), `${key} has no error; keys with an error: ${wrong.join(', ') || 'none'}`)
        }),
    })
  }
  const { failing } = options
  if (failing && passwordKeys(connector).length > 0) {
    checks.push({
      name: 'no error or log line contains a secret',
      run: () => withFixture(options, fixture => checkSecrets(parts, fixture, failing)),
    })
  }
  return checks
}

function checkDeclaration(type: ConnectorClass): void {
  const { config } = new type()
  for (const [name, key] of Object.entries(config)) {
    assert.ok(key.documentation.trim().length > 0, `the key ${name} has no documentation`)
    if (key.default === undefined || key.default === null) continue
    assert.doesNotThrow(() => parseConfig({ [name]: key }, {}), `the default of ${name} is invalid`)
  }
}

async function checkTaskConfigs(type: ConnectorClass, config: Props): Promise<void> {
  for (const maxTasks of [1, 3]) {
    const connector = new type()
    connector.context = { ...contextOf(config), offsets: NO_OFFSETS }
    await connector.start(parseConfig(connector.config, config))
    try {
      const configs = await connector.taskConfigs(maxTasks)
      assert.ok(configs.length <= maxTasks, `taskConfigs(${maxTasks}) returned ${configs.length} configurations`)
      for (const props of configs) {
        for (const [key, value] of Object.entries(props))
          assert.equal(typeof value, 'string', `the value of ${key} in a task configuration is not a string`)
        taskSettings(new connector.taskClass(), connector, props)
      }
    } finally {
      await connector.stop()
    }
  }
}

async function checkStop(type: ConnectorClass, config: Props, ms: number): Promise<void> {
  const create = () => {
    const task = new (new type().taskClass as new () => SourceTask | SinkTask)()
    const context: SourceTaskContext & SinkTaskContext = {
      ...contextOf(config),
      connector: 'test',
      taskId: 0,
      offsets: { offset: failingCall, offsets: failingCall },
      assignment: () => [],
      seek() {},
      timeout() {},
      pause() {},
      resume() {},
      requestCommit() {},
      errantRecordReporter: null,
    }
    task.context = context
    return task
  }
  const stopTwice = async (task: SourceTask | SinkTask, when: string) => {
    for (let n = 0; n < 2; n++) {
      try {
        await within(ms, Promise.resolve(task.stop()), `stop ${when} did not return`)
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error
        assert.fail(`stop ${when} threw an error: ${inspect(error)}`)
      }
    }
  }
  await stopTwice(create(), 'without start')
  const task = create()
  try {
    await task.start(taskSettings(task, new type(), config))
  } catch {
    // In this check, reading offsets fails. A source that reads its offsets in `start` throws.
  }
  await stopTwice(task, 'after start')
}

async function failingCall(): Promise<never> {
  throw Object.assign(new Error('the offsets cannot be read'), { retriable: true })
}

const NO_OFFSETS = {
  offset: async () => null,
  offsets: async (partitions: readonly unknown[]) => partitions.map(() => null),
}

function contextOf(configs: Props): ConnectorContext {
  return {
    configs,
    version: 'test',
    logger: new MemoryLogger(),
    signal: new AbortController().signal,
    requestTaskReconfiguration() {},
    raiseError(error) {
      throw error
    },
  }
}

function passwordKeys(type: ConnectorClass): string[] {
  return Object.entries(new type().config).flatMap(([name, key]) => (key.type === 'PASSWORD' ? [name] : []))
}

async function checkSecrets<F extends Fixture, H extends Harness>(
  parts: SharedParts<F, H>,
  fixture: F,
  failing: Props,
): Promise<void> {
  const config = { ...fixture.config, ...failing }
  const secrets = passwordKeys(parts.connector).flatMap(key => config[key] ?? [])
  assert.ok(secrets.length > 0, 'the configuration of the fixture with `failing` sets no key of type PASSWORD')
  const values = await validateConnector(new parts.connector(), config)
  const harness = parts.harness(fixture, config)
  const hasFailed = () => harness.failure !== null || harness.waitingFor !== null || harness.calls.some(c => c.error)
  let startError: unknown
  try {
    await harness.start()
    await harness.until(hasFailed, 'the connector to fail or to report that it waits').catch((error: unknown) => {
      if (!hasFailed()) throw error
    })
  } catch (error) {
    startError = error
  }
  await harness.stop()
  const raw = harness.calls.map(call => inspect(call.error, { depth: 6 })).join('\n')
  const said = [values.flatMap(v => v.errors).join('\n'), inspect(startError), raw, harness.logger.text()].join('\n')
  for (const secret of secrets) assert.ok(!said.includes(secret), 'an error or a log line contains a secret')
}

/**
 * Checks that a task retries and does not fail while its external system is unavailable. `before`
 * is called before the outage, and `after` when it has ended.
 */
export async function checkOutage(
  harness: Harness,
  fixture: Fixture,
  work: { readonly before: () => Promise<void>; readonly after: () => Promise<void> },
): Promise<void> {
  const outage = fixture.outage!
  await harness.start()
  await work.before()
  await outage.begin()
  try {
    await harness.until(
      () => harness.waitingFor !== null || harness.calls.some(c => isRetriable(c.error)),
      'the task to notice the outage: throw a RetriableError or call context.waits',
    )
    assert.notEqual(harness.state, 'FAILED', 'the task failed instead of retrying')
  } finally {
    await outage.end()
  }
  await work.after()
  await harness.stop()
}
