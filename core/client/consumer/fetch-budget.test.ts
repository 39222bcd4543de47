import { expect, test } from 'vitest'
import { fetchBudget } from './fetch-budget.ts'

test('the available bytes are divided between the idle brokers', () => {
  expect(fetchBudget(3000, 1000, 3, 1)).toEqual({ brokers: 3, bytes: 1000 })
  expect(fetchBudget(9000, 1000, 2, 0)).toEqual({ brokers: 2, bytes: 4500 })
})

test('if the available bytes are too few for all idle brokers, only some of the brokers get a fetch', () => {
  expect(fetchBudget(2500, 1000, 3, 1)).toEqual({ brokers: 2, bytes: 1250 })
  expect(fetchBudget(1000, 1000, 3, 1)).toEqual({ brokers: 1, bytes: 1000 })
})

test('without available bytes no broker gets a fetch, unless nothing is buffered', () => {
  expect(fetchBudget(999, 1000, 2, 1)).toEqual({ brokers: 0, bytes: 0 })
  expect(fetchBudget(-5, 1000, 2, 1)).toEqual({ brokers: 0, bytes: 0 })
  expect(fetchBudget(-5, 1000, 2, 0)).toEqual({ brokers: 2, bytes: 1 })
})
