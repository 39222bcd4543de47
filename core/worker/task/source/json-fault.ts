import { FloatingNumber } from '../../../connect/java-numbers.ts'
import type { SourceRecord } from '../../../connect/record.ts'
import { kindOf } from '../kind-of.ts'

const MAX_DEPTH = 100

/** Returns why a source partition or offset cannot be stored; null if both can be stored. */
export function positionFault({ sourcePartition, sourceOffset }: Position): string | null {
  return objectFault(sourcePartition, 'sourcePartition') ?? objectFault(sourceOffset, 'sourceOffset')
}

type Position = Pick<SourceRecord, 'sourcePartition' | 'sourceOffset'>

function objectFault(value: unknown, path: string): string | null {
  if (value === null || value === undefined) return null
  if (typeof value !== 'object' || Array.isArray(value)) return `${path} is ${kindOf(value)}, not an object`
  return jsonFault(value, path, 0)
}

/**
 * Returns why a value cannot be stored as JSON; null if it can. A field that is undefined is
 * allowed, because JSON.stringify omits such fields.
 */
function jsonFault(value: unknown, path: string, depth: number): string | null {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'bigint':
    case 'undefined':
      return null
    case 'number':
      return Number.isFinite(value) ? null : `${path} is ${value}, which JSON cannot represent`
    case 'object':
      if (value === null || value instanceof FloatingNumber) return null
      if (depth === MAX_DEPTH)
        return `sourcePartition or sourceOffset contains itself, or has more than ${depth} levels`
      return membersFault(value, path, depth + 1)
    default:
      return `${path} is ${kindOf(value)}, which JSON cannot represent`
  }
}

function membersFault(value: object, path: string, depth: number): string | null {
  if (!Array.isArray(value) && !isPlain(value)) return `${path} is ${kindOf(value)}, which JSON cannot represent`
  for (const [key, item] of Object.entries(value)) {
    const fault = jsonFault(item, `${path}.${key}`, depth)
    if (fault) return fault
  }
  return null
}

/**
 * Returns whether an object is a plain object. Its prototype is not compared with Object.prototype,
 * because objects of another realm, such as one of node:vm, have a different Object.prototype.
 */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
