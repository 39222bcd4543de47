import { expect, test } from 'vitest'
import { LagMeter } from './metrics.ts'
import type { SessionView } from './session/session.ts'

type Changes = Partial<Pick<SessionView, 'phase' | 'reached' | 'confirmed'>> & { end?: bigint; readAt?: number }

function view({ end = 100n, readAt = Date.now(), ...changes }: Changes = {}): SessionView {
  const wal = { readAt, end, confirmed: null, restart: null }
  const progress = { lastCommitAt: 1000, startedAt: 500 }
  return { phase: 'streaming', reached: 100n, confirmed: 100n, wal, progress, ...changes } as unknown as SessionView
}

test('a task that has read to the end of the WAL has no lag; otherwise the lag counts from that time', () => {
  const meter = new LagMeter()
  expect(meter.read(view({ reached: 90n }))).toEqual({ bytes: 0, since: 1000 })
  const readAt = Date.now()
  expect(meter.read(view({ readAt }))).toEqual({ bytes: 0, since: null })
  expect(meter.read(view({ end: 150n }))).toEqual({ bytes: 50, since: readAt })
})

test('without recent positions of the server, the lag counts from the last positions', () => {
  const meter = new LagMeter()
  const readAt = Date.now() - 30_000
  expect(meter.read(view({ readAt }))).toEqual({ bytes: 0, since: readAt })
})
