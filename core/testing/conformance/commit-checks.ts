import type { SinkHarness } from '../sink-harness.ts'
import { assert } from './check.ts'

/**
 * Calls `checkOffset` for each offset that the sink commits. Returns a function that waits for
 * these checks and throws the first error.
 */
export function commitChecks(sink: SinkHarness, checkOffset: (offset: number) => Promise<void>): () => Promise<void> {
  const errors: Promise<unknown>[] = []
  // Each promise resolves to null or an error. A rejection before the `await` would end the
  // process.
  sink.onCommit = (_topic, _partition, offset) => {
    errors.push(
      checkOffset(offset).then(
        () => null,
        (error: unknown) => error,
      ),
    )
  }
  return async () => {
    assert.ok(errors.length > 0, 'the sink committed no offset')
    for (const error of await Promise.all(errors)) if (error !== null) throw error
  }
}
