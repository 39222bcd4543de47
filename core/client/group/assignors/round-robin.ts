import type { TopicPartition } from '../../types.ts'
import { type Assignor, type GroupAssignment, sortMembers, subscribedTopics } from './assignor.ts'

/** Kafka's RoundRobinAssignor: assigns the partitions of all topics to the members in rotation. */
export const roundRobinAssignor: Assignor = {
  name: 'roundrobin',
  protocol: 'eager',
  userData: () => null,
  assign(counts, members) {
    const assignment: GroupAssignment = new Map([...members.keys()].map(id => [id, [] as TopicPartition[]]))
    const order = sortMembers(members.keys(), members)
    const wants = new Map([...members].map(([id, m]) => [id, new Set(m.topics)]))
    let turn = 0
    for (const topic of subscribedTopics(counts, members)) {
      for (let partition = 0; partition < counts.get(topic)!; partition++) {
        while (!wants.get(order[turn % order.length]!)!.has(topic)) turn++
        assignment.get(order[turn++ % order.length]!)!.push({ topic, partition })
      }
    }
    return assignment
  },
}
