import { errors } from './errors.ts'
import { kindOf, shownValue } from './kind-of.ts'

/** Throws MR_TASK_ARGUMENT if a plugin passed an invalid argument to a method of its context. */
export function checkArgument(isValid: boolean, method: string, argument: unknown, expected: string): void {
  if (!isValid) throw errors.create('MR_TASK_ARGUMENT', { method, what: shownValue(argument), expected })
}

/** Throws MR_TASK_ARGUMENT if the argument is not a list of partitions. */
export function checkPartitions(method: string, partitions: unknown): void {
  const expected = 'a list of objects with topic and partition'
  checkArgument(Array.isArray(partitions), method, partitions, expected)
  for (const p of partitions as unknown[]) {
    const { topic, partition } = (p ?? {}) as Record<string, unknown>
    if (typeof topic === 'string' && Number.isSafeInteger(partition)) continue
    throw errors.create('MR_TASK_ARGUMENT', { method, what: `a list with ${described(p, topic, partition)}`, expected })
  }
}

function described(p: unknown, topic: unknown, partition: unknown): string {
  const isObject = typeof p === 'object' && p !== null
  return isObject ? `{ topic: ${shownValue(topic)}, partition: ${shownValue(partition)} }` : kindOf(p)
}
