import type { Predicate, Transformation } from '../../connect/plugins.ts'
import type { ConnectRecord } from '../../connect/record.ts'
import { errors } from './errors.ts'
import { StageError } from './failures/error-policy.ts'
import { learnSecrets } from './failures/redact.ts'
import type { PluginSpec, TransformSpec } from './host/messages-in.ts'
import { loadPlugin } from './host/plugin-loader.ts'
import { configurePlugin } from './host/plugin-settings.ts'
import { kindOf, shownValue } from './kind-of.ts'

/** A plugin that may have a `close` method to release its resources. */
export interface Closeable {
  close?(): Promise<void> | void
}

interface Step {
  readonly className: string
  readonly transformation: Transformation
  readonly predicate: Predicate | null
  readonly negate: boolean
}

/** The transformations of a connector, in order. Each may have a predicate. */
export class TransformChain {
  readonly #steps: readonly Step[]

  constructor(steps: readonly Step[]) {
    this.#steps = steps
  }

  /**
   * Loads and configures the transformations. Throws the errors of the plugins. Every plugin that
   * was loaded is added to `loaded`, so that the caller can close it even after an error.
   */
  static async load(specs: readonly TransformSpec[], loaded: Closeable[] = []): Promise<TransformChain> {
    const steps: Step[] = []
    for (const spec of specs) {
      const transformation = await configured<Transformation>(spec, loaded, 'apply')
      const predicate = spec.predicate ? await configured<Predicate>(spec.predicate, loaded, 'test') : null
      steps.push({ className: spec.plugin.className, transformation, predicate, negate: spec.negate ?? false })
    }
    return new TransformChain(steps)
  }

  get empty(): boolean {
    return this.#steps.length === 0
  }

  /**
   * Returns the transformed record; null if a transformation drops the record. Throws a StageError.
   */
  apply<R extends ConnectRecord>(record: R): R | null {
    let current: R | null = record
    for (const step of this.#steps) {
      try {
        if (step.predicate && matches(step.predicate, current) === step.negate) continue
        current = step.transformation.apply(current)
        if (current !== null && !isRecord(current)) throw returnedFault('apply', step.transformation, current)
      } catch (error) {
        throw new StageError('TRANSFORMATION', step.className, error)
      }
      if (current === null) return null
    }
    return current
  }
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && Array.isArray((value as Partial<ConnectRecord>).headers)
}

function matches(predicate: Predicate, record: ConnectRecord): boolean {
  const result: unknown = predicate.test(record)
  if (typeof result !== 'boolean') throw returnedFault('test', predicate, result)
  return result
}

/** Returns the error for a method of a plugin that returned a value of the wrong type. */
function returnedFault(method: 'apply' | 'test', plugin: object, returned: unknown): Error {
  // An error of the promise would end the thread.
  if (returned instanceof Promise) returned.catch(() => undefined)
  const isObject = typeof returned === 'object' && returned !== null && !(returned instanceof Promise)
  return errors.create('MR_TASK_RETURNED', {
    method,
    plugin: plugin.constructor.name,
    what: method === 'apply' && isObject ? `${kindOf(returned)} without a list of headers` : shownValue(returned),
    expected: method === 'apply' ? 'a record or null' : 'true or false',
  })
}

async function configured<T extends Transformation | Predicate>(
  spec: PluginSpec,
  loaded: Closeable[],
  method: string,
): Promise<T> {
  const plugin = await loadPlugin<T>(spec.plugin, [method])
  loaded.push(plugin)
  learnSecrets(plugin.config ?? {}, spec.props)
  configurePlugin(plugin, spec.props, undefined, spec.prefix)
  return plugin
}
