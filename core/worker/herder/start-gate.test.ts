import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Place, StartGate } from './start-gate.ts'

/** Returns a place that has entered the gate. */
function enter(gate: StartGate, go: () => void): Place {
  const place = gate.place(go)
  place.enter()
  return place
}

test('starts enter in order up to the number of places, even if a waiting start leaves the queue', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(fc.nat(9), { maxLength: 60 }), (places, acts) => {
      const gate = new StartGate(places)
      const entered: number[] = []
      const all: { id: number; place: Place }[] = []
      let next = 0
      for (const act of acts) {
        if (act < 6) {
          const id = next++
          all.push({ id, place: enter(gate, () => entered.push(id)) })
        } else {
          const [removed] = all.splice(act % Math.max(1, all.length), 1)
          removed?.place.leave()
          removed?.place.leave()
        }
        const inside = all.filter(s => entered.includes(s.id)).length
        expect(inside).toBe(Math.min(places, all.length))
      }
      expect(entered).toEqual([...entered].sort((a, b) => a - b))
    }),
  )
})

test('a start that keeps its place for too long loses the place to the next start', async () => {
  const gate = new StartGate(1, 5)
  enter(gate, () => {})
  await new Promise<void>(resolve => enter(gate, resolve))
})

test('a start that leaves during its own `go` call frees its place for the next start', () => {
  const gate = new StartGate(1)
  const order: string[] = []
  const first = gate.place(() => {
    order.push('first')
    first.leave()
  })
  first.enter()
  enter(gate, () => order.push('second'))
  expect(order).toEqual(['first', 'second'])
})
