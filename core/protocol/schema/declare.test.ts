import { describe, expectTypeOf, test } from 'vitest'
import type { FetchResponse } from '../messages/01-fetch.ts'
import type { DescribeTopicPartitionsRequest } from '../messages/75-describe-topic-partitions.ts'
import type { Message, MessageInput } from './declare.ts'

/** The compiler checks these types. The tests cannot fail at run time. */
describe('the types of a message follow from its declaration', () => {
  type Decoded = Message<typeof FetchResponse>
  type Input = MessageInput<typeof FetchResponse>
  type Partition = Decoded['responses'][number]['partitions'][number]

  test('in a decoded message, every field is present, and only a nullable field can be null', () => {
    expectTypeOf<Decoded['errorCode']>().toEqualTypeOf<number>()
    expectTypeOf<Partition['records']>().toEqualTypeOf<Buffer | null>()
    expectTypeOf<Partition['currentLeader']>().toEqualTypeOf<{ leaderId: number; leaderEpoch: number }>()
    expectTypeOf<Partition['abortedTransactions']>().toEqualTypeOf<
      { producerId: number; firstOffset: number }[] | null
    >()
    expectTypeOf<Decoded['nodeEndpoints'][number]['rack']>().toEqualTypeOf<string | null>()
    expectTypeOf<Message<typeof DescribeTopicPartitionsRequest>['cursor']>().toEqualTypeOf<{
      topicName: string
      partitionIndex: number
    } | null>()
  })

  test('in a message to encode, every field is optional, and records can be chunks', () => {
    expectTypeOf<Record<never, never>>().toExtend<Input>()
    expectTypeOf<{ responses: [{ partitions: [{ records: Buffer[] }] }] }>().toExtend<Input>()
    expectTypeOf<{ responses: [{ partitions: [{ records: string }] }] }>().not.toExtend<Input>()
    expectTypeOf<{ errorCode: null }>().not.toExtend<Input>()
    // A decoded message can be encoded.
    expectTypeOf<Decoded>().toExtend<Input>()
  })
})
