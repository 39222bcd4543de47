import { expect, test } from 'vitest'
import { parseLogFileName, parsePartitionDir, renamedPartitionDir } from './log-files.ts'

test("Kafka's names of log files and partition directories are parsed, and names of removed directories are built", () => {
  expect(parseLogFileName('00000000000000000017.log')).toEqual({ offset: 17, type: '.log', state: '' })
  expect(parseLogFileName('00000000000000000017.timeindex.deleted')).toEqual({
    offset: 17,
    type: '.timeindex',
    state: '.deleted',
  })
  expect(parseLogFileName('leader-epoch-checkpoint')).toBeNull()
  expect(parsePartitionDir('my-topic-1.x-12')).toEqual({ topic: 'my-topic-1.x', partition: 12 })
  for (const other of ['t-0.abc-delete', 't-0.abc-stray', 't-x', 'plain', '-0'])
    expect(parsePartitionDir(other)).toBeNull()
  const long = renamedPartitionDir('t'.repeat(249), 12, 'a'.repeat(32), '-delete')
  expect([long.length, long.endsWith(`-12.${'a'.repeat(32)}-delete`)]).toEqual([255, true])
})
