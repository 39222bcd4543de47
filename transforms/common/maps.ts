import { type Struct, setField } from 'millrace/connect'
import { inHashMapOrder, tableOf, tableOfCopy } from 'millrace/connect/java'

// Connect's transforms create new HashMaps for data without a schema. The key order depends on how
// each is created.

/**
 * Returns `changed`, a changed copy of `original`, in the order that `new HashMap(original)` has
 * after the same changes.
 */
export function inOrderOfCopy(original: Struct, changed: Struct): Struct {
  return inHashMapOrder(changed, tableOfCopy(Object.keys(original).length))
}

/** Returns the object in the order of `new HashMap(capacity)`. */
export function inOrderOfCapacity(map: Struct, capacity: number): Struct {
  return inHashMapOrder(map, tableOf(capacity))
}

/** Returns the names in the order of a HashMap or HashSet to which they are added one by one. */
export function namesInOrder(names: Iterable<string>): string[] {
  const map: Struct = {}
  for (const name of names) setField(map, name, null)
  return Object.keys(inHashMapOrder(map))
}
