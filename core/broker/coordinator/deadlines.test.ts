import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Deadlines, type Timed } from './deadlines.ts'

interface Item extends Timed {
  readonly id: number
}

test('pop returns due items, the earliest first, after any moves and deletions', () => {
  const step = fc.tuple(fc.nat(15), fc.oneof(fc.nat(100), fc.constant(Number.POSITIVE_INFINITY)), fc.boolean())
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100, size: 'max' }), fc.nat(100), (steps, now) => {
      const items: Item[] = Array.from({ length: 16 }, (_, id) => ({
        id,
        dueAt: Number.POSITIVE_INFINITY,
        heapIndex: -1,
      }))
      const deadlines = new Deadlines<Item>()
      const model = new Map<number, number>()
      for (const [id, at, remove] of steps) {
        if (remove) deadlines.delete(items[id]!)
        else deadlines.set(items[id]!, at)
        if (remove || at === Number.POSITIVE_INFINITY) model.delete(id)
        else model.set(id, at)
        expect(deadlines.size).toBe(model.size)
        expect(deadlines.next).toBe(Math.min(...model.values()))
      }
      const due: number[] = []
      for (let item = deadlines.pop(now); item; item = deadlines.pop(now)) due.push(model.get(item.id)!)
      expect(due).toEqual([...model.values()].filter(at => at <= now).sort((a, b) => a - b))
      expect(deadlines.next).toBeGreaterThan(now)
    }),
  )
})
