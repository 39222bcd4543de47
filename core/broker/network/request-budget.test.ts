import { expect, test } from 'vitest'
import { type Holder, RequestBudget } from './request-budget.ts'

class FakeConnection implements Holder {
  heldBytes = 0
  partial = true
  lastBytesAt = 0
  resumed = 0
  evicted = false
  readonly budget: RequestBudget

  constructor(budget: RequestBudget) {
    this.budget = budget
  }

  take(bytes: number): boolean {
    this.heldBytes += bytes
    this.budget.add(bytes)
    return this.budget.mayRead(this)
  }

  resume(): void {
    this.resumed++
  }

  evict(): void {
    this.evicted = true
    this.budget.release(this.heldBytes)
    this.budget.forget(this)
  }
}

test('below the limit everybody reads', () => {
  const budget = new RequestBudget(100)
  expect([new FakeConnection(budget).take(40), new FakeConnection(budget).take(50)]).toEqual([true, true])
})

test('over the limit one may go on, the one that holds most, so that something gets done', () => {
  const budget = new RequestBudget(100)
  const [small, large] = [new FakeConnection(budget), new FakeConnection(budget)]
  expect(small.take(30)).toBe(true)
  expect(large.take(80)).toBe(true)
  expect(small.take(1)).toBe(false)
  expect(large.take(50)).toBe(true)
  expect(small.take(0)).toBe(false)
})

test('when bytes are let go, those who waited read again', () => {
  const budget = new RequestBudget(100)
  const [a, b] = [new FakeConnection(budget), new FakeConnection(budget)]
  a.take(90)
  b.take(20)
  a.take(0)
  const waiting = budget.mayRead(a) ? b : a
  expect(budget.mayRead(waiting)).toBe(false)
  budget.release(60)
  expect(waiting.resumed).toBe(1)
  expect(budget.mayRead(waiting)).toBe(true)
})

test('one that was let through and is silent loses its connection while others wait, and the next is let through', () => {
  const budget = new RequestBudget(100)
  const [slow, other] = [new FakeConnection(budget), new FakeConnection(budget)]
  slow.take(120)
  other.take(10)
  budget.tick(4000)
  expect(slow.evicted).toBe(false)
  budget.tick(6000)
  expect(slow.evicted).toBe(true)
  expect(other.resumed).toBe(1)
  expect(budget.held).toBe(10)
})
