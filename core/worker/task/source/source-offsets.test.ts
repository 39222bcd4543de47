import { expect, test } from 'vitest'
import { createLogger } from '../../../common/log.ts'
import type { SourceOffset, SourcePartition } from '../../../connect/record.ts'
import { SourceTask } from '../../../connect/source-task.ts'
import { MetricsRecorder } from '../metrics/recorder.ts'
import { OffsetCommitter } from './source-offsets.ts'
import { SubmittedRecords } from './submitted-records.ts'

type Offsets = readonly (readonly [SourcePartition, SourceOffset])[]

class CommittingTask extends SourceTask {
  readonly committed: Offsets[] = []
  override start(): void {}
  override async poll(): Promise<null> {
    return null
  }
  override commit(offsets: Offsets): void {
    this.committed.push(offsets)
  }
}

test('the offsets of a failed commit are part of the next commit, unless the partition has a newer offset', async () => {
  const submitted = new SubmittedRecords(16, false)
  const acknowledge = (sourcePartition: Record<string, string>, n: number) =>
    submitted.done(submitted.add({ topic: 't', value: null, sourcePartition, sourceOffset: { n } }), null)
  const task = new CommittingTask()
  const metrics = new MetricsRecorder()
  const puts: unknown[] = []
  let failures = 1
  const put = async (entries: unknown) => {
    if (failures-- > 0) throw new Error('no broker')
    puts.push(entries)
  }
  const parts = {
    task,
    offsets: { put } as never,
    metrics,
    logger: createLogger('test.task'),
    offsetFlushIntervalMs: 60_000,
  }
  const committer = new OffsetCommitter(submitted, parts, error => expect.unreachable(String(error)))

  acknowledge({ p: 'one' }, 1)
  acknowledge({ p: 'two' }, 1)
  await committer.commit()
  expect(puts).toEqual([])
  expect(task.committed).toEqual([])
  expect(metrics.offsetCommitFailures).toBe(1)

  acknowledge({ p: 'two' }, 2)
  await committer.stop()
  const all = [
    [{ p: 'one' }, { n: 1 }],
    [{ p: 'two' }, { n: 2 }],
  ]
  expect(puts).toHaveLength(1)
  expect(puts[0]).toEqual(expect.arrayContaining(all))
  expect(puts[0]).toHaveLength(all.length)
  expect(task.committed).toEqual(puts)
})
