import { kindOf } from '../kind-of.ts'

/**
 * Returns a description of a `preCommit` result that is not a valid list of offsets; null for a
 * valid list.
 */
export function offsetsFault(returned: unknown): string | null {
  if (!Array.isArray(returned)) return kindOf(returned)
  for (const [i, entry] of returned.entries()) {
    if (typeof entry !== 'object' || entry === null) return `a list with ${kindOf(entry)} at index ${i}`
    const { topic, partition, offset } = entry as Record<string, unknown>
    if (typeof topic !== 'string' || !isCount(partition)) return `a list without a topic and a partition at index ${i}`
    if (!isCount(offset)) return `a list in which the offset of ${topic}-${partition} is ${shown(offset)}`
  }
  return null
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0

const shown = (value: unknown): string => (typeof value === 'number' ? String(value) : kindOf(value))
