import type { SinkHarness } from '../sink-harness.ts'
import { assert } from './check.ts'

/**
 * Checks each offset that the sink commits. Returns a function that throws the first error of
 * these checks.
 */
export function commitChecks(sink: SinkHarness, checkOffset: (offset: number) => Promise<void>): () => Promise<void> {
  const errors: Promise<unknown>[] = []
  // These promises resolve to an error, so that none rejects before it is awaited.
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
