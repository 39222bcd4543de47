import { batchOf } from '../batches.ts'
import { differing, MAX_INT32, MIN_INT32, NO_TOPIC, ODD_NAMES, requests, ZERO } from './odd-request.ts'

const at = (o: object) => ({ partitionIndex: 0, timestamp: -1, ...o })
const offsets = (partitions: object[], o: object = {}) => ({
  replicaId: -1,
  topics: [{ name: 'odd-a', partitions }],
  ...o,
})
export const listOffsets = requests(
  'ListOffsets',
  [
    { replicaId: -1, topics: [] },
    offsets([]),
    offsets([at({}), at({})]),
    {
      replicaId: -1,
      topics: [
        { name: 'odd-a', partitions: [at({})] },
        { name: 'odd-a', partitions: [at({})] },
      ],
    },
    offsets([at({ partitionIndex: -1 }), at({ partitionIndex: MAX_INT32 })]),
    offsets([at({ timestamp: -8 })]),
    offsets([at({ timestamp: -100 })]),
    offsets([at({ timestamp: 0 })]),
    offsets([at({ timestamp: Number.MAX_SAFE_INTEGER })]),
    offsets([at({ currentLeaderEpoch: -2 })]),
    offsets([at({ currentLeaderEpoch: MAX_INT32 })]),
    ...[0, 1, -2, -3].map(replicaId => offsets([at({})], { replicaId })),
    ...ODD_NAMES.map(name => ({ replicaId: -1, topics: [{ name, partitions: [at({})] }] })),
  ],
  1,
  6,
  11,
).concat(
  requests(
    'ListOffsets',
    [2, -1, 100].map(isolationLevel => offsets([at({})], { isolationLevel })),
    6,
    11,
  ),
)

const epoch = (o: object) => ({ partition: 0, leaderEpoch: 0, ...o })
const epochs = (partitions: object[], o: object = {}) => ({
  replicaId: -1,
  topics: [{ topic: 'odd-a', partitions }],
  ...o,
})
export const offsetForLeaderEpoch = requests('OffsetForLeaderEpoch', [
  { replicaId: -1, topics: [] },
  epochs([]),
  epochs([epoch({}), epoch({})]),
  {
    replicaId: -1,
    topics: [
      { topic: 'odd-a', partitions: [epoch({})] },
      { topic: 'odd-a', partitions: [epoch({})] },
    ],
  },
  epochs([epoch({ partition: -1 })]),
  ...[-1, -2, MIN_INT32, MAX_INT32].map(leaderEpoch => epochs([epoch({ leaderEpoch })])),
  ...[-2, 7, MAX_INT32].map(currentLeaderEpoch => epochs([epoch({ currentLeaderEpoch })])),
  ...[0, 1, -2, -3, 77].map(replicaId => epochs([epoch({})], { replicaId })),
  ...ODD_NAMES.map(name => ({ replicaId: -1, topics: [{ topic: name, partitions: [epoch({})] }] })),
])

const from = (o: object) => ({ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000, ...o })
const fetch = (partitions: object[], o: object = {}) => ({
  maxWaitMs: 0,
  minBytes: 1,
  topics: [{ topic: 'odd-a', partitions }],
  ...o,
})
export const fetchByName = requests(
  'Fetch',
  [
    { maxWaitMs: 0, minBytes: 1, topics: [] },
    fetch([]),
    fetch([from({}), from({})]),
    fetch([from({}), from({ fetchOffset: 1 })]),
    fetch([from({ partition: -1 })]),
    ...[-1, -5, Number.MAX_SAFE_INTEGER].map(fetchOffset => fetch([from({ fetchOffset })])),
    ...[0, -1, MIN_INT32].map(partitionMaxBytes => fetch([from({ partitionMaxBytes })])),
    ...[0, -1].map(maxBytes => fetch([from({})], { maxBytes })),
    ...[0, -1].map(minBytes => fetch([from({})], { minBytes })),
    fetch([from({})], { maxWaitMs: -1 }),
    ...[2, -1].map(isolationLevel => fetch([from({})], { isolationLevel })),
    ...[-2, 5].map(currentLeaderEpoch => fetch([from({ currentLeaderEpoch })])),
    ...[-1, 0, 5].map(lastFetchedEpoch => fetch([from({ lastFetchedEpoch })])),
    fetch([from({})], { sessionId: -5, sessionEpoch: 1 }),
    fetch([from({})], { sessionId: 0, sessionEpoch: -1 }),
    fetch([from({})], { sessionId: 0, sessionEpoch: 5 }),
    fetch([from({})], { sessionId: 12, sessionEpoch: 0 }),
    fetch([from({})], { sessionId: 12, sessionEpoch: -2 }),
    fetch([from({})], { forgottenTopicsData: [{ topic: 'odd-a', partitions: [0] }] }),
    ...ODD_NAMES.map(name => fetch([], { topics: [{ topic: name, partitions: [from({})] }] })),
  ],
  12,
)
export const fetchById = requests(
  'Fetch',
  [
    fetch([], { topics: [{ topicId: NO_TOPIC, partitions: [from({})] }] }),
    fetch([], { topics: [{ topicId: ZERO, partitions: [from({})] }] }),
    idOf => fetch([], { topics: [{ topicId: idOf('odd-a'), partitions: [from({}), from({ partition: 9 })] }] }),
  ],
  13,
  16,
  17,
).concat(
  differing(
    'Millrace returns two entries for a topic that a request lists twice',
    requests(
      'Fetch',
      [
        idOf =>
          fetch([], {
            topics: [
              { topicId: idOf('odd-a'), partitions: [from({})] },
              { topicId: NO_TOPIC, partitions: [from({})] },
              { topicId: idOf('odd-a'), partitions: [from({ partition: 1 })] },
            ],
          }),
      ],
      17,
    ),
  ),
)

export const put = (partitionData: object[], o: object = {}) => ({
  acks: -1,
  timeoutMs: 5000,
  topicData: [{ name: 'odd-b', partitionData }],
  ...o,
})
export const produce = requests(
  'Produce',
  [
    { acks: -1, timeoutMs: 5000, topicData: [] },
    ...[2, -2, 100].map(acks => put([{ index: 0, records: batchOf('x') }], { acks })),
    put([{ index: -1, records: batchOf('x') }]),
    put([{ index: 7, records: batchOf('x') }]),
    ...ODD_NAMES.map(name => put([], { topicData: [{ name, partitionData: [{ index: 0, records: batchOf('x') }] }] })),
  ],
  12,
)
  .concat(
    requests(
      'Produce',
      [put([], { topicData: [{ topicId: NO_TOPIC, partitionData: [{ index: 0, records: batchOf('x') }] }] })],
      13,
    ),
  )
  .concat(
    requests(
      'Produce',
      [put([], { topicData: [{ topicId: ZERO, partitionData: [{ index: 0, records: batchOf('x') }] }] })],
      13,
    ),
  )
