import { type Struct, setField } from 'millrace/connect'
import { inHashMapOrder, tableOf, tableOfCopy } from 'millrace/connect/java'

// Connect's transformations create new HashMaps for data without a schema. The order of the keys
// depends on how a HashMap is created.

/**
 * Returns `changed`, a changed copy of `original`, with its keys in the order that a Java `new
 * HashMap(original)` has after the same changes.
 */
export function inOrderOfCopy(original: Struct, changed: Struct): Struct {
  return inHashMapOrder(changed, tableOfCopy(Object.keys(original).length))
}

/** Returns the object with its keys in the order of `new HashMap(capacity)`. */
export function inOrderOfCapacity(map: Struct, capacity: number): Struct {
  return inHashMapOrder(map, tableOf(capacity))
}

/** Returns the names in the order of a HashMap or HashSet to which they are added one by one. */
export function namesInOrder(names: Iterable<string>): string[] {
  const map: Struct = {}
  for (const name of names) setField(map, name, null)
  return Object.keys(inHashMapOrder(map))
}
