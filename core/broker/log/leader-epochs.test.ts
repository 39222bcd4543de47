import { expect, test } from 'vitest'
import { LeaderEpochs } from './leader-epochs.ts'

test('the end offset of an epoch is the start offset of the next, also after truncation at either end', () => {
  const epochs = new LeaderEpochs('unused', [])
  for (const [epoch, start] of [
    [0, 0],
    [2, 10],
    [2, 15],
    [5, 20],
  ] as const)
    epochs.assign(epoch, start)
  const end = (epoch: number) => epochs.endOffsetFor(epoch, 30)
  expect([end(0), end(1), end(2), end(4), end(5), end(6), end(-1)].map(e => [e.epoch, e.endOffset])).toEqual([
    [0, 10],
    [0, 10],
    [2, 20],
    [2, 20],
    [5, 30],
    [-1, -1],
    [-1, -1],
  ])
  epochs.truncateFromStart(12)
  expect(epochs.entries).toEqual([
    { epoch: 2, startOffset: 12 },
    { epoch: 5, startOffset: 20 },
  ])
  expect(end(0)).toEqual({ epoch: 0, endOffset: 12 })
  epochs.truncateFromEnd(20)
  expect(epochs.entries).toEqual([{ epoch: 2, startOffset: 12 }])
})

test('truncateFromStart keeps the latest epoch that begins at or before the new log start, and all later ones', () => {
  const of = (...starts: number[]) =>
    new LeaderEpochs(
      'unused',
      starts.map((startOffset, epoch) => ({ epoch, startOffset })),
    )
  const after = (offset: number, ...starts: number[]) => {
    const epochs = of(...starts)
    epochs.truncateFromStart(offset)
    return epochs.entries.map(e => [e.epoch, e.startOffset])
  }
  expect(after(20, 0, 10, 20, 30)).toEqual([
    [2, 20],
    [3, 30],
  ])
  expect(after(19, 0, 10, 20, 30)).toEqual([
    [1, 19],
    [2, 20],
    [3, 30],
  ])
  expect(after(21, 0, 10, 20, 30)).toEqual([
    [2, 21],
    [3, 30],
  ])
  expect(after(30, 0, 10, 20, 30)).toEqual([[3, 30]])
  expect(after(99, 0, 10, 20, 30)).toEqual([[3, 99]])
  expect(after(5, 10, 20)).toEqual([
    [0, 10],
    [1, 20],
  ])
  expect(after(10, 10, 20)).toEqual([
    [0, 10],
    [1, 20],
  ])
  // An epoch without records has the same start offset as the next epoch. Only the last epoch with
  // this start offset remains.
  expect(after(10, 0, 10, 10, 20)).toEqual([
    [2, 10],
    [3, 20],
  ])
})
