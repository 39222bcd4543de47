import { type ConfigValues, defineConfig, key, nonEmpty } from 'millrace/connect'

export const config = defineConfig({
  url: key.string({
    validator: nonEmpty,
    importance: 'HIGH',
    documentation: 'The address of the API. The source adds the query parameters `after` and `limit`.',
  }),
  topic: key.string({
    validator: nonEmpty,
    importance: 'HIGH',
    documentation: 'The topic that the items are written to.',
  }),
  token: key.password({
    default: null,
    importance: 'MEDIUM',
    documentation: 'The token for the header `Authorization: Bearer`. Without it, no such header is sent.',
  }),
  'page.size': key.int({
    default: 100,
    min: 1,
    max: 10_000,
    importance: 'MEDIUM',
    documentation: 'The maximum number of items that one request returns.',
  }),
  'poll.interval.ms': key.long({
    default: 1000,
    min: 1,
    importance: 'MEDIUM',
    documentation: 'How long the source waits before it asks again when there are no new items, in milliseconds.',
  }),
})

export type Settings = ConfigValues<typeof config>
