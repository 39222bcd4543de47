import { DataError, FloatingNumber, inHashMapOrder } from '../../core/connect/index.ts'

/** Deeper data than this is refused, as Connect's JSON parser does. */
const MAX_DEPTH = 1000

/** Parsed JSON with the keys of all objects in Java's order. Changes what it is given. */
export function inJavaOrder(json: unknown): unknown {
  return typeof json === 'object' && json !== null ? ordered(json, 1) : (json ?? null)
}

function ordered(json: object, depth: number): object {
  if (depth > MAX_DEPTH) throw new DataError(`JSON is nested more than ${MAX_DEPTH} levels deep`)
  if (Array.isArray(json)) {
    for (let i = 0; i < json.length; i++) {
      const item: unknown = json[i]
      if (typeof item === 'object' && item !== null) json[i] = ordered(item, depth + 1)
    }
    return json
  }
  if (json instanceof FloatingNumber) return json
  return inHashMapOrder(json as Record<string, unknown>, item => ordered(item, depth + 1))
}
