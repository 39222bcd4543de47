import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { MemberSubscription } from '../../core/client/group/assignors/assignor.ts'
import { assignors } from '../../core/client/group/assignors/index.ts'
import { encodeStickyUserData } from '../../core/client/group/assignors/sticky-user-data.ts'
import type { AssignorName, TopicPartition } from '../../core/client/types.ts'
import { findKafkaLibs, skipWithout } from '../peers/tools.ts'

const libs = findKafkaLibs()

interface Question {
  readonly assignor: AssignorName
  readonly counts: ReadonlyMap<string, number>
  readonly members: ReadonlyMap<string, MemberSubscription>
}

const nameOf = (p: TopicPartition) => `${p.topic}:${p.partition}`

/**
 * Arbitrary groups before a rebalance. Members may be of an old generation or have no previous
 * partitions, and two members may claim the same partition.
 */
const question: fc.Arbitrary<Question> = fc
  .record({
    assignor: fc.constantFrom<AssignorName>('range', 'roundrobin', 'sticky', 'cooperative-sticky'),
    topics: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 5 }),
    counts: fc.array(fc.nat(9), { minLength: 5, maxLength: 5 }),
    sameTopics: fc.boolean(),
    members: fc.uniqueArray(
      fc.record({
        id: fc.stringMatching(/^m[a-zA-Z0-9-]{1,12}$/),
        instance: fc.option(fc.stringMatching(/^[a-z0-9]{1,6}$/), { freq: 2 }),
        wants: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
        ownsEvery: fc.integer({ min: 1, max: 8 }),
        ownsFrom: fc.nat(7),
        generation: fc.constantFrom(-1, 3, 4, 5, 5, 5, 5),
        remembers: fc.boolean(),
      }),
      { minLength: 1, maxLength: 30, selector: m => m.id },
    ),
  })
  .map(({ assignor, topics, counts, sameTopics, members }) => {
    const existing = new Map(topics.map((t, i) => [t, counts[i]!] as const).filter(([, n]) => n > 0))
    const all = [...existing].flatMap(([topic, n]) =>
      Array.from({ length: n }, (_, partition) => ({ topic, partition })),
    )
    const instances = new Set<string>()
    const list = members.map(m => {
      const ownedPartitions = all.filter((_, i) => i % m.ownsEvery === m.ownsFrom)
      const sticky = () => encodeStickyUserData(ownedPartitions, m.generation)
      const cooperative = () => assignors['cooperative-sticky'].userData(null, m.generation)
      const userData = !m.remembers
        ? null
        : assignor === 'sticky'
          ? sticky()
          : assignor === 'cooperative-sticky'
            ? cooperative()
            : null
      const unique = m.instance !== null && !instances.has(m.instance)
      if (unique) instances.add(m.instance!)
      const subscription: MemberSubscription = {
        topics:
          sameTopics || !m.wants.slice(0, topics.length).includes(true) ? topics : topics.filter((_, i) => m.wants[i]),
        userData,
        ownedPartitions,
        generationId: m.generation,
        rackId: null,
        groupInstanceId: unique ? m.instance : null,
      }
      return [m.id, subscription] as const
    })
    const wanted = new Set(list.flatMap(([, m]) => m.topics))
    return { assignor, counts: new Map([...existing].filter(([t]) => wanted.has(t))), members: new Map(list) }
  })

function askJava(questions: readonly Question[]): Record<string, string[]>[] {
  const lines = questions.map(q =>
    JSON.stringify({
      assignor: q.assignor,
      counts: Object.fromEntries(q.counts),
      members: Object.fromEntries(
        [...q.members].map(([id, m]) => [
          id,
          {
            topics: m.topics,
            owned: m.ownedPartitions.map(nameOf),
            generation: m.generationId,
            userData: m.userData?.toString('base64') ?? null,
            instance: m.groupInstanceId,
          },
        ]),
      ),
    }),
  )
  const log4j = join(import.meta.dirname, '../peers/kafka/log4j2-tools.xml')
  const args = [
    `-Dlog4j2.configurationFile=${log4j}`,
    '-cp',
    join(libs!, '*'),
    join(import.meta.dirname, 'java/Assignors.java'),
  ]
  const java = spawnSync('java', args, { input: `${lines.join('\n')}\n`, maxBuffer: 1 << 28, encoding: 'utf8' })
  if (java.status !== 0) throw new Error(java.stderr)
  return java.stdout
    .split('\n')
    .filter(l => l.startsWith('{'))
    .map(l => JSON.parse(l) as Record<string, string[]>)
}

test.skipIf(skipWithout('Apache Kafka', libs !== null))(
  "every assignor gives the same assignment as Java's, for thousands of groups",
  () => {
    const seed = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 2 ** 31)
    const questions = fc.sample(question, { numRuns: 4000, seed })
    const answers = askJava(questions)
    expect(answers).toHaveLength(questions.length)
    let failures = 0
    questions.forEach((q, i) => {
      const ours = assignors[q.assignor].assign(q.counts, q.members)
      if ('failed' in answers[i]!) {
        failures++
        return
      }
      const got = Object.fromEntries([...ours].map(([id, list]) => [id, list.map(nameOf).sort()]))
      const want = Object.fromEntries(Object.entries(answers[i]!).map(([id, list]) => [id, list.sort()]))
      expect(
        got,
        `seed ${seed}, question ${i}: ${JSON.stringify({ ...q, counts: [...q.counts], members: [...q.members] })}`,
      ).toEqual(want)
    })
    expect(failures).toBeLessThan(questions.length / 20)
  },
)
