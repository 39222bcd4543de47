import { type ConfigValues, defineConfig, nonEmpty, range } from 'millrace/connect'

export const config = defineConfig({
  url: {
    type: 'STRING',
    validator: nonEmpty,
    importance: 'HIGH',
    documentation: 'The address of the API. The source adds the query parameters `after` and `limit`.',
  },
  topic: {
    type: 'STRING',
    validator: nonEmpty,
    importance: 'HIGH',
    documentation: 'The topic that the items are written to.',
  },
  token: {
    type: 'PASSWORD',
    default: null,
    importance: 'MEDIUM',
    documentation: 'The token for the header `Authorization: Bearer`. Without it, no such header is sent.',
  },
  'page.size': {
    type: 'INT',
    default: 100,
    validator: range(1, 10_000),
    importance: 'MEDIUM',
    documentation: 'The maximum number of items that one request returns.',
  },
  'poll.interval.ms': {
    type: 'LONG',
    default: 1000,
    validator: range(1),
    importance: 'MEDIUM',
    documentation: 'How long the source waits before it asks again when there are no new items, in milliseconds.',
  },
})

export type Settings = ConfigValues<typeof config>
