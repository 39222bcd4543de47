import assert from 'node:assert/strict'
import { setTimeout as startTimer } from 'node:timers'
import type { SinkConnector, SourceConnector } from '../../connect/connector.ts'
import type { Props } from '../../connect/props.ts'

/** A check of a connector. It can be passed to any test runner: `test(check.name, check.run)`. */
export interface ConformanceCheck {
  readonly name: string
  /** Runs the check. Rejects if the connector fails it. */
  readonly run: () => Promise<void>
}

/** A configuration that the connector must reject. */
export interface InvalidConfig {
  /** The keys to change in the configuration of the fixture. */
  readonly config: Props
  /** The key for which validation must return an error. */
  readonly key: string
}

/** Makes the external system unavailable from `begin` until `end`. */
export interface Outage {
  begin(): Promise<void> | void
  end(): Promise<void> | void
}

/** The environment in which a connector is checked. Each check gets a new fixture. */
export interface Fixture {
  /** The connector's configuration. */
  readonly config: Props
  /** Makes the external system unavailable. Required if `outages` of the suite is true. */
  readonly outage?: Outage
  /** Releases the external resources of the fixture. */
  dispose?(): Promise<void> | void
}

/** The options that the suites for sources and for sinks share. */
export interface ConformanceOptions<F extends Fixture> {
  /** Creates the external resources of one check, such as files, tables or an index. */
  fixture(): Promise<F> | F
  /** The configurations that validation must reject. */
  readonly invalid?: readonly InvalidConfig[]
  /**
   * The keys to change so that the connector fails, such as the address of its external system. If
   * the connector has keys of type PASSWORD, the suite then checks that no error or log line
   * contains the values of these keys.
   */
  readonly failing?: Props
  /** The time limit for the stop of a task, in milliseconds. Default: 5000. */
  readonly stopWithinMs?: number
  /** The time limit for each wait of a check, in milliseconds. Default: 30000. */
  readonly timeoutMs?: number
}

export type ConnectorClass = new () => SourceConnector | SinkConnector

/** Runs a check with a fixture, and always disposes of the fixture. */
export async function withFixture<F extends Fixture>(
  options: ConformanceOptions<F>,
  body: (fixture: F) => Promise<void>,
): Promise<void> {
  const fixture = await options.fixture()
  try {
    await body(fixture)
  } finally {
    await fixture.dispose?.()
  }
}

/** Returns the result of `work`. Rejects with a message if the work takes longer than `ms`. */
export async function within<T>(ms: number, work: Promise<T> | T, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = startTimer(() => reject(new assert.AssertionError({ message: `${message} (${ms} ms)` })), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

export { assert }
