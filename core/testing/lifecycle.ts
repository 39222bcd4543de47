import type { SinkConnector, SourceConnector } from '../connect/connector.ts'

/** A call of a task's method that has returned or thrown. */
export interface TaskCall {
  readonly method: string
  /** The error that the method threw, before the runtime hides secrets in it. */
  readonly error?: unknown
}

type AnyConnector = SourceConnector | SinkConnector
type Methods = Record<string, unknown>

/** The methods of tasks that the runtime calls. */
const METHODS = ['start', 'poll', 'put', 'preCommit', 'flush', 'open', 'close', 'commit', 'commitRecords', 'stop']

/** Receives the calls of a task's methods. */
export interface TaskObserver {
  onCall(method: string, args: readonly unknown[]): void
  /** `result` is undefined if the method threw. */
  onReturn(call: TaskCall, args: readonly unknown[], result: unknown): void
  /** Returns the function to call for a call of the task's method: `call`, or another function. */
  intercept(method: string, call: () => unknown): () => unknown
}

/**
 * Returns a class that constructs the connector with tasks whose calls are reported to an observer.
 */
export function observed(type: new () => AnyConnector, observer: TaskObserver): new () => AnyConnector {
  const create = function (this: unknown): AnyConnector {
    const connector = new type()
    const taskClass: unknown = connector.taskClass
    if (typeof taskClass !== 'function') return connector
    // this sets a property of the instance, as connectors declare it, and does not change the class
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
