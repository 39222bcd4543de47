import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type SlotRequest, StartGate } from './start-gate.ts'

/** Requests a slot, and returns the request. */
function acquire(gate: StartGate, go: () => void): SlotRequest {
  const request = gate.request(go)
  request.acquire()
  return request
}

test('starts get the free slots in the order of their requests, even if some requests are cancelled', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(fc.nat(9), { maxLength: 60 }), (slots, acts) => {
      const gate = new StartGate(slots)
      const admitted: number[] = []
      const all: { id: number; request: SlotRequest }[] = []
      let next = 0
      for (const act of acts) {
        if (act < 6) {
          const id = next++
          all.push({ id, request: acquire(gate, () => admitted.push(id)) })
        } else {
          const [removed] = all.splice(act % Math.max(1, all.length), 1)
          removed?.request.release()
          removed?.request.release()
        }
        const active = all.filter(s => admitted.includes(s.id)).length
        expect(active).toBe(Math.min(slots, all.length))
      }
      expect(admitted).toEqual([...admitted].sort((a, b) => a - b))
    }),
  )
})

test('a start that keeps its slot for too long loses the slot to the next start', async () => {
  const gate = new StartGate(1, 5)
  acquire(gate, () => {})
  await new Promise<void>(resolve => acquire(gate, resolve))
})

test('a start that releases its slot during its own `go` call frees the slot for the next start', () => {
  const gate = new StartGate(1)
  const order: string[] = []
  const first = gate.request(() => {
    order.push('first')
    first.release()
  })
  first.acquire()
  acquire(gate, () => order.push('second'))
  expect(order).toEqual(['first', 'second'])
})
