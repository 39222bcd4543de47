import { errors } from './errors.ts'
import { kindOf } from './kind-of.ts'

/**
 * Checks what a converter returned as bytes, and returns it as a Buffer or null. Throws
 * MR_TASK_RETURNED for a value of another type.
 */
export function bytesOf(returned: unknown, method: string, plugin: object): Buffer | null {
  if (returned === null || Buffer.isBuffer(returned)) return returned
  if (returned instanceof Uint8Array) return Buffer.from(returned.buffer, returned.byteOffset, returned.byteLength)
  throw fault(returned, method, plugin, 'a Buffer or null')
}

/**
 * Checks and returns what a converter returned as schema and value. Throws MR_TASK_RETURNED for a
 * value of another type.
 */
export function dataOf<T extends object>(returned: T, method: string, plugin: object): T {
  if (typeof returned === 'object' && returned !== null && 'schema' in returned && 'value' in returned) return returned
  throw fault(returned, method, plugin, 'an object with schema and value')
}

function fault(returned: unknown, method: string, plugin: object, expected: string): Error {
  // An unhandled rejection of the promise would end the thread.
  if (returned instanceof Promise) returned.catch(() => undefined)
  return errors.create('MR_TASK_RETURNED', {
    method,
    plugin: plugin.constructor.name,
    what: kindOf(returned),
    expected,
  })
}
