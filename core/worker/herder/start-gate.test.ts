import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Place, StartGate } from './start-gate.ts'

test('at most so many are inside, in the order they came, and whoever gives up waiting holds up nobody', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(fc.nat(9), { maxLength: 60 }), (places, acts) => {
      const gate = new StartGate(places)
      const entered: number[] = []
      const all: { id: number; place: Place }[] = []
      let next = 0
      for (const act of acts) {
        if (act < 6) {
          const id = next++
          all.push({ id, place: gate.enter(() => entered.push(id)) })
        } else {
          const [gone] = all.splice(act % Math.max(1, all.length), 1)
          gone?.place.leave()
          gone?.place.leave()
        }
        const inside = all.filter(s => entered.includes(s.id)).length
        expect(inside).toBe(Math.min(places, all.length))
      }
      expect(entered).toEqual([...entered].sort((a, b) => a - b))
    }),
  )
})

test('one that stays too long gives its place away', async () => {
  const gate = new StartGate(1, 5)
  gate.enter(() => {})
  await new Promise<void>(resolve => gate.enter(resolve))
})
