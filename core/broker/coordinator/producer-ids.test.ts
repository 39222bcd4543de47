import { expect, test } from 'vitest'
import { ProducerIds } from './producer-ids.ts'

test('each producer id is assigned once, across blocks and to concurrent callers', async () => {
  let blocks = 0
  const ids = new ProducerIds({ allocateProducerIds: async () => ({ first: 10 * blocks++, count: 10 }) })
  const got = await Promise.all(Array.from({ length: 35 }, () => ids.next()))
  expect(got.sort((a, b) => a - b)).toEqual(Array.from({ length: 35 }, (_, i) => i))
  expect(blocks).toBe(4)
})

test('if a block cannot be allocated, the waiting calls fail and the next call tries again', async () => {
  let broken = true
  const allocateProducerIds = async () => {
    if (broken) throw new Error('disk full')
    return { first: 5, count: 10 }
  }
  const ids = new ProducerIds({ allocateProducerIds })
  await expect(Promise.allSettled([ids.next(), ids.next()])).resolves.toMatchObject([
    { status: 'rejected' },
    { status: 'rejected' },
  ])
  broken = false
  expect(await ids.next()).toBe(5)
})
