import type { SinkConnector, SourceConnector } from '../connect/connector.ts'

/** A call of a task's method that has returned or thrown. */
export interface TaskCall {
  readonly method: string
  /** The error that the method threw. Secrets are not hidden. */
  readonly error?: unknown
}

type AnyConnector = SourceConnector | SinkConnector
type Methods = Record<string, unknown>

/** The methods of tasks that the runtime calls. */
const METHODS = ['start', 'poll', 'put', 'preCommit', 'flush', 'open', 'close', 'commit', 'commitRecords', 'stop']

/** Observes and replaces the calls of a task's methods. */
export interface TaskObserver {
  onCall(method: string, args: readonly unknown[]): void
  /** Called when a method has returned or thrown. If it threw, `result` is undefined. */
  onReturn(call: TaskCall, args: readonly unknown[], result: unknown): void
  /**
   * Returns the function to call. It is `call`, which calls the task's method, or a replacement.
   */
  intercept(method: string, call: () => unknown): () => unknown
}

/**
 * Returns a class that constructs the connector. The observer observes each call of a method of the
 * connector's tasks.
 */
export function observed(type: new () => AnyConnector, observer: TaskObserver): new () => AnyConnector {
  const create = function (this: unknown): AnyConnector {
    const connector = new type()
    const taskClass: unknown = connector.taskClass
    if (typeof taskClass !== 'function') return connector
    // Sets the property of this instance only. The connector's class stays unchanged.
    Object.defineProperty(connector, 'taskClass', {
      value: observedTask(taskClass as new () => object, observer),
      configurable: true,
    })
    return connector
  }
  Object.defineProperty(create, 'name', { value: type.name })
  return create as unknown as new () => AnyConnector
}

function observedTask(type: new () => object, observer: TaskObserver): new () => object {
  const create = function (this: unknown): object {
    const task = new type() as Methods
    for (const name of METHODS) {
      const method = task[name]
      if (typeof method !== 'function') continue
      task[name] = (...args: unknown[]) =>
        observe(
          name,
          observer.intercept(name, () => method.apply(task, args)),
          observer,
          args,
        )
    }
    return task
  }
  Object.defineProperty(create, 'name', { value: type.name })
  return create as unknown as new () => object
}

function observe(method: string, call: () => unknown, observer: TaskObserver, args: readonly unknown[]): unknown {
  observer.onCall(method, args)
  let result: unknown
  try {
    result = call()
  } catch (error) {
    observer.onReturn({ method, error }, args, undefined)
    throw error
  }
  if (!(result instanceof Promise)) {
    observer.onReturn({ method }, args, result)
    return result
  }
  return result.then(
    value => {
      observer.onReturn({ method }, args, value)
      return value
    },
    (error: unknown) => {
      observer.onReturn({ method, error }, args, undefined)
      throw error
    },
  )
}
