import { DataError } from './errors.ts'
import { DEFAULT_TABLE, hashMapOrder } from './java-map.ts'
import { FloatingNumber } from './java-numbers.ts'
import type { Struct } from './schema.ts'

/** The maximum depth of data, which is also the limit of Connect's JSON parser. */
const MAX_DEPTH = 1000

/**
 * A function that copies an object with its keys in order. `inner` returns the copies of nested
 * objects.
 */
type Copy = (object: Struct, inner: (item: object, depth: number) => object, depth: number) => Struct

/** A list of keys that several objects share, and the HashMap order of these keys. */
interface Shape {
  readonly keys: readonly string[]
  readonly table: number
  readonly ordered: readonly string[]
  /** Whether the objects' keys are already in HashMap order. */
  readonly isOrdered: boolean
  copies: number
  copy: Copy
}

/** The number of slots for recently seen shapes. Each slot holds one shape. */
const SLOTS = 1024
const shapes: (Shape | undefined)[] = new Array<Shape | undefined>(SLOTS)
/**
 * The maximum number of keys in a cached shape. Objects with more keys are not cached, because
 * their keys are mostly data.
 */
const MOST_KEYS = 128
/** The number of copied objects after which a shape is compiled. */
const COMPILED_FROM = 500

function slotOf(keys: readonly string[], table: number): number {
  const first = keys[0]!
  const last = keys[keys.length - 1]!
  const mixed = keys.length * 31 + first.charCodeAt(0) * 7 + first.length * 131 + last.charCodeAt(0) * 17 + last.length
  return (mixed * 31 + table) & (SLOTS - 1)
}

function isShape(shape: Shape | undefined, keys: readonly string[], table: number): shape is Shape {
  if (shape === undefined || shape.table !== table || shape.keys.length !== keys.length) return false
  for (let i = 0; i < keys.length; i++) if (keys[i] !== shape.keys[i]) return false
  return true
}

function shapeOf(keys: readonly string[], table: number): Shape {
  if (keys.length > MOST_KEYS) return newShape(keys, table)
  const slot = slotOf(keys, table)
  const known = shapes[slot]
  if (!isShape(known, keys, table)) return (shapes[slot] = newShape(keys, table))
  if (++known.copies === COMPILED_FROM && !known.isOrdered) known.copy = compile(known.ordered)
  return known
}

const itself = <T>(value: T): T => value

function newShape(keys: readonly string[], table: number): Shape {
  const ordered = hashMapOrder(keys, itself, false, table)
  const isOrdered = ordered.every((key, i) => key === keys[i])
  return { keys, table, ordered, isOrdered, copies: 0, copy: copier(ordered) }
}

function copier(ordered: readonly string[]): Copy {
  const template: Struct = Object.fromEntries(ordered.map(key => [key, null]))
  return (object, inner, depth) => {
    // In the template, all keys are own properties, so `__proto__` can be set like any other key.
    const out = { ...template }
    for (let i = 0; i < ordered.length; i++) {
      const key = ordered[i]!
      const item = object[key]
      out[key] = typeof item === 'object' && item !== null ? inner(item, depth) : item
    }
    return out
  }
}

/**
 * Returns the same function as `copier`, compiled to one object literal, so that keys are not
 * looked up by name. Names are inserted as JSON strings, so they cannot become code.
 */
function compile(ordered: readonly string[]): Copy {
  const members = ordered.map(key => {
    const name = JSON.stringify(key)
    // In an object literal, `__proto__` without brackets would set the prototype.
    const member = key === '__proto__' ? `[${name}]` : name
    return `${member}:typeof(v=o[${name}])==='object'&&v!==null?inner(v,depth):v`
  })
  return new Function('o', 'inner', 'depth', `let v;return{${members.join(',')}}`) as Copy
}

/**
 * Returns a copy whose keys have the order of a HashMap into which they were put. If the object
 * already has this order, returns the object itself. Keys that are array indexes (`7`) come first
 * in every JavaScript object: see `keysInOrder`.
 */
export function inHashMapOrder(object: Struct, table = DEFAULT_TABLE): Struct {
  const keys = Object.keys(object)
  if (keys.length < 2) return object
  const shape = shapeOf(keys, table)
  return shape.isOrdered ? object : shape.copy(object, itself, 0)
}

/**
 * Returns parsed JSON with the keys of all objects in the order of Java's HashMap. Modifies its
 * argument. Throws a DataError if the JSON is nested too deeply.
 */
export function inJavaOrder(json: unknown): unknown {
  return typeof json === 'object' && json !== null ? ordered(json, 1) : (json ?? null)
}

function ordered(value: object, depth: number): object {
  if (depth > MAX_DEPTH) throw new DataError(`JSON is nested more than ${MAX_DEPTH} levels deep`)
  if (value instanceof FloatingNumber) return value
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i]
      if (typeof item === 'object' && item !== null) value[i] = ordered(item, depth + 1)
    }
    return value
  }
  const object = value as Struct
  const keys = Object.keys(object)
  if (keys.length === 0) return object
  const shape = shapeOf(keys, DEFAULT_TABLE)
  if (!shape.isOrdered) return shape.copy(object, ordered, depth + 1)
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    const item = object[key]
    if (typeof item === 'object' && item !== null) object[key] = ordered(item, depth + 1)
  }
  return object
}
