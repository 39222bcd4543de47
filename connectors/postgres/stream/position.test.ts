import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadOffset } from '../offset.ts'
import { FlushTracker, ResumeFilter, StreamPosition } from './position.ts'

const begin = () => new StreamPosition(loadOffset({ lsn: 100, ts_usec: 1 }))

describe('a position', () => {
  test('the offset of a position has the fields of Debezium', () => {
    const p = begin()
    p.begin(110, 7, 5)
    p.event(112, 'INSERT')
    expect(p.offset(null)).toEqual({
      lsn_proc: 112,
      lsn_events_processed: 1,
      messageType: 'INSERT',
      lsn: 112,
      txId: 7,
      ts_usec: 5,
    })
    p.event(112, 'INSERT')
    expect(p.offset(null)).toMatchObject({ lsn_events_processed: 2 })
    p.commit(120)
    expect(p.offset(null)).toEqual({
      lsn_proc: 120,
      messageType: 'COMMIT',
      lsn_commit: 120,
      lsn: 120,
      txId: 7,
      ts_usec: 5,
    })
  })

  test('a stream starts after the last complete transaction', () => {
    const p = begin()
    expect(p.startLsn()).toBe(100)
    p.begin(110, 7, 5)
    p.commit(120)
    p.begin(130, 8, 5)
    p.event(140, 'INSERT')
    expect(p.startLsn()).toBe(120)
  })
})

/**
 * Generates transactions, each as the distances between the positions of its events. The rows of a
 * COPY have the distance 0.
 */
const transactions = fc.array(fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 6 }), {
  minLength: 1,
  maxLength: 6,
})

test('a restart after a logical message does not emit it again', () => {
  const position = new StreamPosition(loadOffset({ lsn: 10 }))
  position.begin(20, 7, 0)
  position.message(30)
  const filter = new ResumeFilter(new StreamPosition(loadOffset(position.offset(null))))
  expect(filter.begin(7)).toBe(true)
  expect([filter.skips(30), filter.skips(40)]).toEqual([true, false])
})

test('a restart at any event emits exactly the events after it', () => {
  fc.assert(
    fc.property(transactions, fc.nat(), (shape, cut) => {
      // the position increases by 0, 1 or 2 from event to event
      let lsn = 1000
      const txs = shape.map((gaps, i) => {
        lsn += 10
        const start = lsn
        const events = gaps.map(g => (lsn += g))
        lsn += 10
        return { txId: 50 + i, begin: start, events, end: lsn }
      })
      const all = txs.flatMap(t => t.events.map((at, i) => `${t.txId}/${i}@${at}`))
      const stop = all.length === 0 ? 0 : cut % (all.length + 1)

      const run = (position: StreamPosition, limit: number): string[] => {
        const given: string[] = []
        const filter = new ResumeFilter(position)
        const from = position.startLsn()
        for (const t of txs.filter(x => x.end > from)) {
          if (!filter.begin(t.txId)) position.begin(t.begin, t.txId, 1)
          for (const [i, at] of t.events.entries()) {
            if (filter.skips(at)) continue
            if (given.length === limit) return given
            position.event(at, 'INSERT')
            given.push(`${t.txId}/${i}@${at}`)
          }
          filter.commit()
          position.commit(t.end)
        }
        return given
      }
      const first = new StreamPosition(loadOffset({ lsn: 1000, ts_usec: 1 }))
      const before = run(first, stop)
      const offset = JSON.parse(JSON.stringify(first.offset(null))) as Record<string, unknown>
      const after = run(new StreamPosition(loadOffset(offset)), Number.POSITIVE_INFINITY)
      expect([...before, ...after]).toEqual(all)
    }),
    { numRuns: 500 },
  )
})

describe('the position that is confirmed to the server', () => {
  const committed = (p: StreamPosition) => JSON.parse(JSON.stringify(p.offset(null))) as Record<string, unknown>

  test('the end of the last complete transaction of a committed offset is confirmed', () => {
    const flush = new FlushTracker('connector_and_driver')
    const p = begin()
    expect(flush.flushed).toBe(0)
    p.begin(110, 7, 5)
    p.event(112, 'INSERT')
    p.commit(120)
    p.begin(130, 8, 5)
    p.event(140, 'INSERT')
    expect(flush.committed(committed(p))).toBe(true)
    expect(flush.flushed).toBe(120)
    p.commit(150)
    p.idle(900)
    expect(flush.committed(committed(p))).toBe(true)
    expect(flush.flushed).toBe(900)
    expect(flush.committed({ lsn_commit: 120 })).toBe(false)
    expect(flush.flushed).toBe(900)
  })

  test('the confirmed position is never before the slot’s position', () => {
    const flush = new FlushTracker('connector')
    flush.confirmed(90)
    expect(flush.flushed).toBe(90)
    expect(flush.committed({ lsn: 100, snapshot: 'INITIAL', snapshot_completed: false })).toBe(false)
    expect(flush.committed({ lsn: 100, snapshot: 'INITIAL', snapshot_completed: true })).toBe(true)
    flush.confirmed(95)
    expect(flush.flushed).toBe(100)
  })

  test('with lsn.flush.mode=manual, no position is confirmed', () => {
    const flush = new FlushTracker('manual')
    expect(flush.committed({ lsn_commit: 120 })).toBe(false)
    expect(flush.flushed).toBe(0)
  })
})

test('a restart after WAL without captured changes starts at the last transaction, because that WAL may differ on a restored server', () => {
  const p = begin()
  p.begin(110, 7, 5)
  p.event(112, 'INSERT')
  p.commit(120)
  p.idle(500)
  const offset = loadOffset(p.offset(null))
  expect(offset).toMatchObject({ lsn: 120, lsnProc: 120, lsnCommit: 120, lsnIdle: 500 })
  const again = new StreamPosition(offset)
  expect(again.startLsn()).toBe(120)
  again.begin(510, 8, 5)
  again.event(520, 'INSERT')
  expect(again.offset(null)['lsn_idle']).toBe(500)
  again.commit(530)
  expect(again.offset(null)).not.toHaveProperty('lsn_idle')
})
