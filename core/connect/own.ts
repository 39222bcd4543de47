import type { Struct } from './schema.ts'

// Fields may have the names of inherited properties, such as `__proto__` or `constructor`.

/**
 * Returns the string that V8 uses for the property with this name. With any other string, such as
 * one cut from a configuration, V8 looks the property up at each access and may optimize and
 * deoptimize the code around it repeatedly.
 */
export function propertyName(name: string): string {
  return Object.keys({ [name]: null })[0]!
}

/** Sets a field, whatever its name. */
export function setField(object: Struct, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true })
  } else object[name] = value
}

/** Returns the value of a field, whatever its name; undefined if the object has no such field. */
export function getField(object: Struct, name: string): unknown {
  const value = object[name]
  // inherited properties are functions, which data never contains, and `__proto__`
  if (typeof value !== 'function' && name !== '__proto__') return value
  return Object.hasOwn(object, name) ? object[name] : undefined
}
