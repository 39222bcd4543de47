import { expect, test } from 'vitest'
import { BrokerStats, countIsrChanges } from './broker-stats.ts'

test('the total of a counter over all topics does not decrease when a topic is deleted', () => {
  const stats = new BrokerStats()
  stats.topic('a').messagesIn += 3
  stats.topic('b').messagesIn += 4
  stats.retainTopics(name => name !== 'a')
  expect(stats.topics().map(([name]) => name)).toEqual(['b'])
  expect(stats.total('messagesIn')).toBe(7)
  stats.topic('a').messagesIn += 1
  expect(stats.total('messagesIn')).toBe(8)
})

test('countIsrChanges counts partitions with removed and with added in-sync replicas separately', () => {
  const stats = new BrokerStats()
  const topic = (...isrs: number[][]) => ({ partitions: isrs.map(isr => ({ isr })) })
  countIsrChanges(stats, topic([1, 2], [1], [1]), topic([1], [1, 3], [1], [1]))
  expect([stats.isrShrinks, stats.isrExpands]).toEqual([1, 1])
  countIsrChanges(stats, topic([1, 2]), topic([1, 3]))
  expect([stats.isrShrinks, stats.isrExpands]).toEqual([2, 2])
  countIsrChanges(stats, undefined, topic([1]))
  countIsrChanges(stats, topic([1]), undefined)
  expect([stats.isrShrinks, stats.isrExpands]).toEqual([2, 2])
})
