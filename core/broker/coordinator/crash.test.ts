import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nextTurn } from '../../common/async/next-turn.ts'
import { ErrorCode } from '../../protocol/index.ts'
import { FakeBroker, imageOf } from './test-support/fake-broker.ts'

const ORDERS = { id: 'ordersordersordersordQ', partitions: 4 }
const GROUPS = ['a', 'b', 'c', 'd', 'e']

/** Returns a random generator. The same seed gives the same numbers. */
function seeded(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/**
 * The values that the log may contain for one partition of one group: the last acknowledged value,
 * or one that was requested after it.
 */
class Allowed {
  acked: number | undefined
  /** The requested values that are not acknowledged yet, in order. */
  open: (number | undefined)[] = []

  ask(value: number | undefined): (ok: boolean) => void {
    this.open.push(value)
    return ok => {
      // Requests are acknowledged in the order in which they were sent, so remove the first equal
      // value.
      this.open.splice(this.open.indexOf(value), 1)
      if (ok) this.acked = value
    }
  }

  get values(): (number | undefined)[] {
    return [this.acked, ...this.open]
  }
}

test('a copy of the disk taken at any moment contains every acknowledged commit and deletion', async () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  const random = seeded(seed)
  const root = mkdtempSync(join(tmpdir(), 'millrace-crash-'))
  const live = await FakeBroker.open(join(root, 'live'), imageOf({ orders: ORDERS }))
  const states = new Map<string, Allowed>()
  const work: Promise<unknown>[] = []
  let next = 1
  const of = (group: string, partition: number) => {
    const key = `${group}/${partition}`
    if (!states.has(key)) states.set(key, new Allowed())
    return states.get(key)!
  }
  const commit = (group: string, partition: number) => {
    const value = next++
    const done = of(group, partition).ask(value)
    const base = {
      leaderEpoch: 0,
      metadata: '',
      commitTimestamp: Date.now(),
      expireTimestamp: null,
      topicId: ORDERS.id,
    }
    const offset = { offset: value, ...base }
    const who = {
      memberId: '',
      groupInstanceId: null,
      generationId: -1,
      unknownGroupCode: ErrorCode.ILLEGAL_GENERATION,
    }
    return live.coordinators.groups
      .commit(group, who, [{ topic: 'orders', partition, offset }])
      .then(code => done(code === ErrorCode.NONE))
  }
  const forget = (group: string) => {
    const all = [0, 1, 2, 3].map(p => of(group, p).ask(undefined))
    return live.coordinators.groups.deleteGroup(group).then(code => {
      for (const done of all) done(code === ErrorCode.NONE)
    })
  }
  try {
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < 40; i++) {
        const group = GROUPS[random(GROUPS.length)]!
        work.push(random(15) === 0 ? forget(group) : commit(group, random(4)))
        if (random(3) === 0) await nextTurn()
      }
      // The copy must contain everything that was acknowledged before the copy began.
      const before = new Map([...states].map(([key, s]) => [key, s.values]))
      const copy = join(root, `copy-${round}`)
      cpSync(join(root, 'live'), copy, { recursive: true })
      const after = await FakeBroker.open(copy, imageOf({ orders: ORDERS }))
      for (const [key, values] of before) {
        const [group, partition] = key.split('/') as [string, string]
        const view = after.coordinators.groups.offsets(group)
        const found = typeof view === 'number' ? Number.NaN : view.find('orders', Number(partition), ORDERS.id)?.offset
        expect(values, `seed ${seed}, round ${round}, ${key}`).toContain(found)
      }
      await after.close()
      rmSync(copy, { recursive: true })
    }
    await Promise.all(work)
  } finally {
    await live.close()
    rmSync(root, { recursive: true, force: true })
  }
}, 60_000)
