import { beforeEach, expect, test } from 'vitest'
import { type Holder, RequestBudget } from './request-budget.ts'

const KB = 1024
let now = 0
let budget: RequestBudget
beforeEach(() => {
  now = 0
  budget = new RequestBudget(1000 * KB, () => now)
})

class FakeConnection implements Holder {
  heldBytes = 0
  partial = true
  missing: number
  lastBytesAt = 0
  resumed = 0
  evicted = false

  constructor(missing: number) {
    this.missing = missing
  }

  take(bytes: number): boolean {
    this.heldBytes += bytes
    this.missing -= bytes
    this.lastBytesAt = now
    budget.add(bytes)
    return budget.mayRead(this)
  }

  resume(): void {
    this.resumed++
  }

  evict(): void {
    this.evicted = true
    budget.release(this.heldBytes)
    budget.remove(this)
  }
}

test('below the limit, every connection may read', () => {
  expect([new FakeConnection(1e9).take(400 * KB), new FakeConnection(1e9).take(500 * KB)]).toEqual([true, true])
})

test('above the limit, a small request may still be read', () => {
  new FakeConnection(1e9).take(2000 * KB)
  expect(new FakeConnection(1e9).take(2 * KB)).toBe(true)
})

test('above the limit, one large request is read at a time, first the one that needs the fewest bytes', () => {
  const [far, near, nearer] = [new FakeConnection(1e9), new FakeConnection(900 * KB), new FakeConnection(700 * KB)]
  far.take(990 * KB)
  near.take(500 * KB)
  expect(budget.mayRead(near)).toBe(true)
  expect(nearer.take(400 * KB)).toBe(false)
  expect(budget.mayRead(far)).toBe(false)
  // The request of `near` is complete.
  near.partial = false
  budget.remove(near)
  expect(nearer.resumed).toBe(1)
  expect(budget.mayRead(nearer)).toBe(true)
  expect(budget.mayRead(far)).toBe(false)
})

test('waiting connections may read again when bytes are released', () => {
  const [a, b] = [new FakeConnection(1e9), new FakeConnection(1e9)]
  a.take(990 * KB)
  b.take(200 * KB)
  const waiting = budget.mayRead(a) ? b : a
  expect(budget.mayRead(waiting)).toBe(false)
  const before = waiting.resumed
  budget.release(600 * KB)
  expect(waiting.resumed).toBe(before + 1)
  expect(budget.mayRead(waiting)).toBe(true)
})

test('the admitted connection is closed if it sends nothing while others wait', () => {
  const [slow, other] = [new FakeConnection(1e6), new FakeConnection(1e9)]
  slow.take(1200 * KB)
  other.take(100 * KB)
  now = 1900
  budget.tick()
  expect(slow.evicted).toBe(false)
  now = 2100
  budget.tick()
  expect(slow.evicted).toBe(true)
  expect(other.resumed).toBe(1)
  expect(budget.held).toBe(100 * KB)
})

test('the admitted connection is closed if its request takes too long while others wait', () => {
  const [slow, other] = [new FakeConnection(1e6), new FakeConnection(1e9)]
  slow.take(1200 * KB)
  other.take(100 * KB)
  for (now = 0; now < 32_000; now += 1000) {
    slow.lastBytesAt = now
    budget.tick()
  }
  expect(slow.evicted).toBe(true)
})
