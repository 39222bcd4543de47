import type { Struct } from './schema.ts'

// Data fields may have the names of inherited properties, such as `__proto__` or `constructor`.

/**
 * Returns the internal string that V8 uses for a property name. With any other string, such as a
 * part of a configuration, V8 looks up the property at each access, and may repeatedly optimize and
 * deoptimize the code around it.
 */
export function propertyName(name: string): string {
  return Object.keys({ [name]: null })[0]!
}

/** Sets a field with any name, including `__proto__`. */
export function setField(object: Struct, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true })
  } else object[name] = value
}

/** Returns the value of a field with any name, or undefined if the object has no such field. */
export function getField(object: Struct, name: string): unknown {
  const value = object[name]
  // Inherited properties are `__proto__` and functions. Data never contains functions.
  if (typeof value !== 'function' && name !== '__proto__') return value
  return Object.hasOwn(object, name) ? object[name] : undefined
}
