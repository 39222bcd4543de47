import { expect, test } from 'vitest'
import { fetchBudget } from './fetch-budget.ts'

test('the rest of the budget is divided between the idle brokers', () => {
  expect(fetchBudget(3000, 1000, 3, 1)).toEqual({ brokers: 3, bytes: 1000 })
  expect(fetchBudget(9000, 1000, 2, 0)).toEqual({ brokers: 2, bytes: 4500 })
})

test('if the budget is too small for all brokers, some are asked, so that paused partitions do not block the others', () => {
  expect(fetchBudget(2500, 1000, 3, 1)).toEqual({ brokers: 2, bytes: 1250 })
  expect(fetchBudget(1000, 1000, 3, 1)).toEqual({ brokers: 1, bytes: 1000 })
})

test('without a budget no broker is asked, except if nothing is buffered', () => {
  expect(fetchBudget(999, 1000, 2, 1)).toEqual({ brokers: 0, bytes: 0 })
  expect(fetchBudget(-5, 1000, 2, 1)).toEqual({ brokers: 0, bytes: 0 })
  expect(fetchBudget(-5, 1000, 2, 0)).toEqual({ brokers: 2, bytes: 1 })
})
