import { expect, test } from 'vitest'
import { fetchBudget } from './fetch-budget.ts'

test('what is left is divided among the brokers that can be asked', () => {
  expect(fetchBudget(3000, 1000, 3, 1)).toEqual({ brokers: 3, bytes: 1000 })
  expect(fetchBudget(9000, 1000, 2, 0)).toEqual({ brokers: 2, bytes: 4500 })
})

test('where it is not enough for all, some are asked, so that paused partitions in memory hold up nobody for good', () => {
  expect(fetchBudget(2500, 1000, 3, 1)).toEqual({ brokers: 2, bytes: 1250 })
  expect(fetchBudget(1000, 1000, 3, 1)).toEqual({ brokers: 1, bytes: 1000 })
})

test('without room nobody is asked, except when nothing is buffered', () => {
  expect(fetchBudget(999, 1000, 2, 1)).toEqual({ brokers: 0, bytes: 0 })
  expect(fetchBudget(-5, 1000, 2, 1)).toEqual({ brokers: 0, bytes: 0 })
  expect(fetchBudget(-5, 1000, 2, 0)).toEqual({ brokers: 2, bytes: 1 })
})
