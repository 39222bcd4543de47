import assert from 'node:assert/strict'
import { setTimeout as startTimer } from 'node:timers'
import type { SinkConnector, SourceConnector } from '../../connect/connector.ts'
import type { Props } from '../../connect/props.ts'

/** A check of a connector. Give it to any test runner: `test(check.name, check.run)`. */
export interface ConformanceCheck {
  readonly name: string
  /** Rejects if the connector does not conform. */
  readonly run: () => Promise<void>
}

/** A configuration that the connector must refuse. */
export interface InvalidConfig {
  /** Keys to change in the configuration of the fixture. */
  readonly config: Props
  /** The key that gets the error. */
  readonly key: string
}

/** Makes the external system unavailable for a while. */
export interface Outage {
  begin(): Promise<void> | void
  end(): Promise<void> | void
}

/** The environment in which a connector is checked. Each check gets a new fixture. */
export interface Fixture {
  /** The connector's configuration. */
  readonly config: Props
  /** Makes the external system unavailable. Without it, outages are not checked. */
  readonly outage?: Outage
  /** Releases the external resources. */
  dispose?(): Promise<void> | void
}

/** Options that source and sink suites have in common. */
export interface ConformanceOptions<F extends Fixture> {
  /** Creates the resources of a check, such as files, tables or an index. */
  fixture(): Promise<F> | F
  /** Configurations that validation must refuse. */
  readonly invalid?: readonly InvalidConfig[]
  /**
   * Keys to change so that the connector cannot work, such as the address of its system. If the
   * connector has keys of type PASSWORD, the suite then checks that no error or log line contains
   * their values.
   */
  readonly failing?: Props
  /** How long a task may take to stop, in milliseconds. Default 5 s. */
  readonly stopWithinMs?: number
  /** How long a check waits for something, in milliseconds. Default 30 s. */
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

/** Rejects with a message if the work takes longer than `ms`. */
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
