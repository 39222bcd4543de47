import { ApiKey } from '../../protocol/api-keys.ts'
import type { CreatePartitionsRequest, CreatePartitionsResponse } from '../../protocol/messages/37-create-partitions.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import type { Handler } from './handler.ts'

/** Handles CreatePartitions requests. Adds partitions to topics. */
export const createPartitionsHandler: Handler<
  Message<typeof CreatePartitionsRequest>,
  MessageInput<typeof CreatePartitionsResponse>
> = {
  key: ApiKey.CreatePartitions,
  async handle({ topics, validateOnly }, ctx) {
    const wanted = topics.map(t => ({
      name: t.name,
      count: t.count,
      assignments: t.assignments?.map(a => a.brokerIds) ?? null,
    }))
    const outcomes = await ctx.broker.controller.createPartitions(wanted, { validateOnly })
    const results = new Map(
      wanted.map(({ name }, i) => {
        const refusal = outcomes[i]!.error
        return [name, { name, errorCode: refusal?.code ?? 0, errorMessage: refusal?.message ?? null }]
      }),
    )
    return { results: [...results.values()] }
  },
  onError: (errorCode, { topics }) => ({ results: topics.map(({ name }) => ({ name, errorCode })) }),
}
