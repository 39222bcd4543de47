import type { TopicPartition } from '../../types.ts'
import { type Assignor, type GroupAssignment, sortMembers, subscribedTopics } from './assignor.ts'

/**
 * Kafka's RangeAssignor, without racks. Divides each topic into consecutive ranges, one for each
 * member, in member order.
 */
export const rangeAssignor: Assignor = {
  name: 'range',
  protocol: 'eager',
  userData: () => null,
  assign(counts, members) {
    const assignment: GroupAssignment = new Map([...members.keys()].map(id => [id, [] as TopicPartition[]]))
    for (const topic of subscribedTopics(counts, members)) {
      const takers = sortMembers(
        [...members].filter(([, m]) => m.topics.includes(topic)).map(([id]) => id),
        members,
      )
      const count = counts.get(topic)!
      const each = Math.floor(count / takers.length)
      const withOneMore = count % takers.length
      let next = 0
      takers.forEach((id, i) => {
        const end = next + each + (i < withOneMore ? 1 : 0)
        for (; next < end; next++) assignment.get(id)!.push({ topic, partition: next })
      })
    }
    return assignment
  },
}
