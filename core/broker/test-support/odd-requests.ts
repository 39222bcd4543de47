import { batchOf } from './batches.ts'
import type { RawClient } from './raw-client.ts'

/** A request for a comparison of brokers. An input that names topic ids is made for each broker. */
export interface OddRequest {
  readonly api: Parameters<RawClient['call']>[0]
  readonly input: object | ((idOf: (topic: string) => string) => object)
  readonly version: number | undefined
  /** Why our answer is another than Apache's; such a request is only to be answered at all. */
  readonly differs?: string
}

type Input = OddRequest['input']

/** An id that no topic has. */
const NO_TOPIC = 'SRUODZFdSQqGegZn0QSnKA'
const ZERO = 'AAAAAAAAAAAAAAAAAAAAAA'
const LONG = 'x'.repeat(250)
/** What a name may be, and more. */
const ODD_NAMES = ['', '.', '..', 'a b', 'a/b', 'ä', LONG]
const MIN_INT32 = -(2 ** 31)
const MAX_INT32 = 2 ** 31 - 1

/** Topics that must exist: name and number of partitions. */
export const ODD_TOPICS: Readonly<Record<string, number>> = {
  'odd-a': 2,
  'odd-b': 1,
  'odd-c': 1,
  'odd-d': 1,
  'odd-e': 1,
  'odd-f': 1,
  'odd-g': 1,
  'odd-h': 1,
}

function requests(api: OddRequest['api'], inputs: readonly Input[], ...versions: number[]): OddRequest[] {
  const each = versions.length === 0 ? [undefined] : versions
  return each.flatMap(version => inputs.map(input => ({ api, input, version })))
}

/** Requests whose answers differ on purpose: docs/compatibility.md lists them. */
function differing(differs: string, list: readonly OddRequest[]): OddRequest[] {
  return list.map(r => ({ ...r, differs }))
}

const FAULT = 'Apache answers UNKNOWN_SERVER_ERROR'
const ONCE = 'what is asked for twice is answered once'

const named = (...names: (string | null)[]) => names.map(name => ({ name }))

const metadata: OddRequest[] = [
  ...requests('Metadata', [{ topics: [] }], 1, 4, 9, 12, 13),
  ...requests('Metadata', [{ topics: named('odd-a', 'odd-a') }], 1, 13),
  ...requests('Metadata', [{ topics: named(...ODD_NAMES), allowAutoTopicCreation: true }], 4, 9, 12),
  ...requests(
    'Metadata',
    [
      { topics: [{ name: 'odd-a', topicId: NO_TOPIC }] },
      { topics: [{ name: null, topicId: NO_TOPIC }] },
      { topics: [{ name: null, topicId: NO_TOPIC }, { name: 'odd-b' }] },
      {
        topics: [
          { name: null, topicId: NO_TOPIC },
          { name: null, topicId: NO_TOPIC },
        ],
      },
      idOf => ({ topics: [{ name: null, topicId: idOf('odd-a') }] }),
      idOf => ({ topics: [{ name: 'odd-a', topicId: idOf('odd-a') }] }),
      idOf => ({ topics: [{ name: 'odd-b', topicId: idOf('odd-a') }] }),
      idOf => ({ topics: [{ name: null, topicId: idOf('odd-a') }, { name: 'odd-b' }] }),
      idOf => ({ topics: [{ name: '', topicId: idOf('odd-a') }] }),
    ],
    10,
    11,
    12,
    13,
  ),
]

const faults: OddRequest[] = differing(FAULT, [
  ...requests('Metadata', [{ topics: [{ name: null, topicId: ZERO }] }], 12, 13),
  ...requests('DescribeTopicPartitions', [{ topics: named(...ODD_NAMES), responsePartitionLimit: 10 }]),
])

const describeTopicPartitions = requests('DescribeTopicPartitions', [
  { topics: named('odd-a'), responsePartitionLimit: 10, cursor: { topicName: 'odd-a', partitionIndex: -1 } },
  { topics: named('odd-a'), responsePartitionLimit: 10, cursor: { topicName: 'odd-a', partitionIndex: MIN_INT32 } },
  { topics: named('odd-a'), responsePartitionLimit: 10, cursor: { topicName: 'odd-a', partitionIndex: 2 } },
  { topics: named('odd-a'), responsePartitionLimit: 10, cursor: { topicName: 'odd-a', partitionIndex: 99 } },
  { topics: named('odd-a', 'odd-b'), responsePartitionLimit: 10, cursor: { topicName: 'odd-b', partitionIndex: 0 } },
  { topics: named('odd-a', 'odd-b'), responsePartitionLimit: 10, cursor: { topicName: 'odd-aa', partitionIndex: 1 } },
  { topics: named('odd-a', 'odd-b'), responsePartitionLimit: 10, cursor: { topicName: 'z', partitionIndex: 0 } },
  { topics: named('odd-a', 'odd-b'), responsePartitionLimit: 10, cursor: { topicName: '', partitionIndex: 1 } },
  { topics: named('odd-b'), responsePartitionLimit: 10, cursor: { topicName: 'odd-a', partitionIndex: 1 } },
  { topics: named('odd-a', 'odd-a'), responsePartitionLimit: 10 },
  { topics: named('odd-a', 'odd-b'), responsePartitionLimit: 0 },
  { topics: named('odd-a', 'odd-b'), responsePartitionLimit: -1 },
  { topics: named('odd-a', 'odd-b'), responsePartitionLimit: MAX_INT32 },
  { topics: named('odd-a', 'odd-b'), responsePartitionLimit: 1 },
  { topics: named('none'), responsePartitionLimit: 10, cursor: { topicName: 'none', partitionIndex: 1 } },
])

const topic = (name: string, o: object = {}) => ({ name, numPartitions: 1, replicationFactor: 1, ...o })
const check = (...topics: object[]) => ({ topics, timeoutMs: 5000, validateOnly: true })
const createTopics = requests('CreateTopics', [
  check(),
  check(topic('odd-x'), topic('odd-x', { numPartitions: 2 })),
  check(topic('odd-x'), topic('odd-x'), topic('odd-x')),
  check(topic('odd-a'), topic('odd-a')),
  check(topic('odd-x', { numPartitions: MIN_INT32 })),
  check(topic('odd-x', { replicationFactor: -3 })),
  check(topic('odd-x', { numPartitions: 3, assignments: [{ partitionIndex: 0, brokerIds: [1] }] })),
  check(
    topic('odd-x', { replicationFactor: 1, numPartitions: -1, assignments: [{ partitionIndex: 0, brokerIds: [1] }] }),
  ),
  check(
    topic('odd-x', { numPartitions: -1, replicationFactor: -1, assignments: [{ partitionIndex: -1, brokerIds: [1] }] }),
  ),
  check(
    topic('odd-x', { numPartitions: -1, replicationFactor: -1, assignments: [{ partitionIndex: 0, brokerIds: [-1] }] }),
  ),
  check(
    topic('odd-x', {
      configs: [
        { name: 'retention.ms', value: '5' },
        { name: 'retention.ms', value: '6' },
      ],
    }),
  ),
  check(topic('odd-x', { configs: [{ name: '', value: '5' }] })),
  check(topic('odd-x', { configs: [{ name: 'cleanup.policy', value: 'delete,delete' }] })),
  check(topic('odd-x', { configs: [{ name: 'cleanup.policy', value: ',' }] })),
  check(topic('odd-x', { configs: [{ name: 'retention.ms', value: ' 5 ' }] })),
  check(topic('odd-x', { configs: [{ name: 'max.message.bytes', value: '1e3' }] })),
  check(topic('odd-x', { configs: [{ name: 'max.message.bytes', value: '99999999999' }] })),
  check(topic('odd-x', { configs: [{ name: 'message.format.version', value: '3.0' }] })),
])

const createPartitions = requests(
  'CreatePartitions',
  [
    { topics: [], timeoutMs: 5000 },
    ...[-1, 0, MIN_INT32].map(count => ({ topics: [{ name: 'odd-a', count }], timeoutMs: 5000 })),
    {
      topics: [
        { name: 'odd-a', count: 5 },
        { name: 'odd-a', count: 6 },
      ],
      timeoutMs: 5000,
    },
    { topics: ['', 'a b', LONG, 'none'].map(name => ({ name, count: 5 })), timeoutMs: 5000 },
    { topics: [{ name: 'odd-a', count: 3, assignments: [] }], timeoutMs: 5000, validateOnly: true },
    { topics: [{ name: 'odd-a', count: 3, assignments: [{ brokerIds: [] }] }], timeoutMs: 5000, validateOnly: true },
    { topics: [{ name: 'odd-a', count: 3, assignments: [{ brokerIds: [-1] }] }], timeoutMs: 5000, validateOnly: true },
    {
      topics: [{ name: 'odd-a', count: 3, assignments: [{ brokerIds: [1] }, { brokerIds: [1] }] }],
      timeoutMs: 5000,
      validateOnly: true,
    },
    {
      topics: [
        { name: 'odd-a', count: 4 },
        { name: 'none', count: 1 },
      ],
      timeoutMs: 5000,
      validateOnly: true,
    },
  ],
  0,
  3,
)

const at = (o: object) => ({ partitionIndex: 0, timestamp: -1, ...o })
const offsets = (partitions: object[], o: object = {}) => ({
  replicaId: -1,
  topics: [{ name: 'odd-a', partitions }],
  ...o,
})
const listOffsets = requests(
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
const offsetForLeaderEpoch = requests('OffsetForLeaderEpoch', [
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
const fetchByName = requests(
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
const fetchById = requests(
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
    'a topic that is named in two places is answered in two places',
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

const put = (partitionData: object[], o: object = {}) => ({
  acks: -1,
  timeoutMs: 5000,
  topicData: [{ name: 'odd-b', partitionData }],
  ...o,
})
const produce = requests(
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

const commit = (partitions: object[], o: object = {}) => ({
  groupId: 'odd-g',
  generationIdOrMemberEpoch: -1,
  memberId: '',
  topics: [{ name: 'odd-a', partitions }],
  ...o,
})
const mark = (o: object) => ({ partitionIndex: 0, committedOffset: 1, ...o })
const offsetCommit = requests(
  'OffsetCommit',
  [
    commit([], { topics: [] }),
    commit([]),
    commit([mark({})], { groupId: '' }),
    commit([mark({}), mark({ committedOffset: 2 })]),
    commit([], {
      topics: [
        { name: 'odd-a', partitions: [mark({})] },
        { name: 'odd-a', partitions: [mark({})] },
      ],
    }),
    commit([mark({ partitionIndex: -1 }), mark({ partitionIndex: 9 })]),
    ...[-1, -5, Number.MAX_SAFE_INTEGER].map(committedOffset => commit([mark({ committedOffset })])),
    ...[-2, MAX_INT32].map(committedLeaderEpoch => commit([mark({ committedLeaderEpoch })])),
    ...[null, 'x'.repeat(4096), 'x'.repeat(4097)].map(committedMetadata => commit([mark({ committedMetadata })])),
    ...[-2, 0, 5, MAX_INT32].map(generationIdOrMemberEpoch => commit([mark({})], { generationIdOrMemberEpoch })),
    commit([mark({})], { memberId: 'nobody' }),
    commit([mark({})], { memberId: 'nobody', generationIdOrMemberEpoch: 1 }),
    commit([mark({})], { groupId: 'odd-none', memberId: 'nobody', generationIdOrMemberEpoch: 1 }),
    ...ODD_NAMES.map(name => commit([], { topics: [{ name, partitions: [mark({})] }] })),
  ],
  2,
  7,
  9,
)
  .concat(
    requests(
      'OffsetCommit',
      [commit([mark({})], { groupInstanceId: 'who' }), commit([mark({})], { groupInstanceId: '' })],
      9,
    ),
  )
  .concat(
    requests(
      'OffsetCommit',
      [
        commit([], { topics: [{ topicId: NO_TOPIC, partitions: [mark({})] }] }),
        commit([], { topics: [{ topicId: ZERO, partitions: [mark({})] }] }),
        idOf =>
          commit([], { topics: [{ topicId: idOf('odd-b'), partitions: [mark({}), mark({ partitionIndex: 4 })] }] }),
      ],
      10,
    ),
  )
  .concat(
    requests(
      'OffsetCommit',
      [commit([mark({})], { retentionTimeMs: -2 }), commit([mark({})], { retentionTimeMs: 0, groupId: 'odd-kept' })],
      2,
    ),
  )

const group = (topics: object[] | null, o: object = {}) => ({ groupId: 'odd-g', topics, ...o })
const offsetFetch = [
  ...requests(
    'OffsetFetch',
    [
      { groupId: '', topics: [{ name: 'odd-a', partitionIndexes: [0] }] },
      { groupId: 'odd-none', topics: [{ name: 'odd-a', partitionIndexes: [0] }] },
      { groupId: 'odd-g', topics: [] },
      { groupId: 'odd-g', topics: [{ name: 'odd-a', partitionIndexes: [] }] },
      { groupId: 'odd-g', topics: [{ name: 'odd-a', partitionIndexes: [0, 0, -1, 99] }] },
      {
        groupId: 'odd-g',
        topics: [
          { name: 'odd-a', partitionIndexes: [0] },
          { name: 'odd-a', partitionIndexes: [0] },
        ],
      },
      ...ODD_NAMES.map(name => ({ groupId: 'odd-g', topics: [{ name, partitionIndexes: [0] }] })),
    ],
    1,
    5,
    7,
  ),
  ...requests(
    'OffsetFetch',
    [
      { groupId: 'odd-none', topics: null },
      { groupId: '', topics: null },
    ],
    2,
    7,
  ),
  ...requests(
    'OffsetFetch',
    [
      { groups: [] },
      { groups: [group([], { groupId: '' })] },
      { groups: [group(null, { groupId: '' })] },
      { groups: [group(null, { groupId: 'odd-none' })] },
      { groups: [group([{ name: 'odd-a', partitionIndexes: [0, 0, -1] }])] },
      {
        groups: [group([{ name: 'odd-a', partitionIndexes: [0] }]), group([{ name: 'odd-a', partitionIndexes: [0] }])],
      },
      { groups: [group([{ name: 'odd-a', partitionIndexes: [0] }])], requireStable: true },
    ],
    8,
    9,
  ),
  ...requests(
    'OffsetFetch',
    [
      { groups: [group([{ name: 'odd-a', partitionIndexes: [0] }], { memberId: 'nobody', memberEpoch: 3 })] },
      { groups: [group([{ name: 'odd-a', partitionIndexes: [0] }], { memberId: null, memberEpoch: 3 })] },
      { groups: [group([{ name: 'odd-a', partitionIndexes: [0] }], { memberId: '', memberEpoch: -1 })] },
      { groups: [group(null, { groupId: 'odd-none', memberId: 'nobody', memberEpoch: 3 })] },
    ],
    9,
  ),
  ...requests(
    'OffsetFetch',
    [
      { groups: [group([{ topicId: NO_TOPIC, partitionIndexes: [0] }])] },
      { groups: [group([{ topicId: ZERO, partitionIndexes: [0] }])] },
      idOf => ({ groups: [group([{ topicId: idOf('odd-a'), partitionIndexes: [0, -1] }])] }),
    ],
    10,
  ),
]

const findCoordinator = [
  ...requests(
    'FindCoordinator',
    [
      { key: '', keyType: 0 },
      { key: 'odd-g', keyType: 0 },
    ],
    0,
    1,
    3,
  ),
  ...requests(
    'FindCoordinator',
    [
      { key: 'x', keyType: -1 },
      { key: 'x', keyType: 3 },
      { key: 'x', keyType: 2 },
    ],
    1,
    3,
  ),
  ...requests(
    'FindCoordinator',
    [
      { keyType: 0, coordinatorKeys: [] },
      { keyType: 0, coordinatorKeys: [''] },
      { keyType: 0, coordinatorKeys: ['odd-g', 'odd-g'] },
      { keyType: -1, coordinatorKeys: ['x'] },
      { keyType: 3, coordinatorKeys: ['x', 'y'] },
      { keyType: 2, coordinatorKeys: ['x'] },
    ],
    4,
    5,
    6,
  ),
]

const protocols = [{ name: 'range', metadata: Buffer.alloc(0) }]
const join = (o: object) => ({
  groupId: 'odd-j',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 10_000,
  memberId: '',
  protocolType: 'consumer',
  protocols,
  ...o,
})
const joinGroup = requests(
  'JoinGroup',
  [
    join({ groupId: '' }),
    ...[0, -1, 5999, 1_800_001, MAX_INT32].map(sessionTimeoutMs => join({ sessionTimeoutMs })),
    join({ protocols: [] }),
    join({ protocolType: '' }),
    join({ protocolType: '', protocols: [] }),
    join({ memberId: 'nobody' }),
    join({ groupId: 'odd-g', memberId: 'nobody', protocols: [] }),
    join({ groupId: 'odd-g', memberId: 'nobody' }),
  ],
  2,
  5,
  9,
).concat(
  requests(
    'JoinGroup',
    [join({ memberId: 'nobody', groupInstanceId: 'who' }), join({ groupInstanceId: '', memberId: 'nobody' })],
    5,
    9,
  ),
)

const syncGroup = requests('SyncGroup', [
  { groupId: '', generationId: 1, memberId: 'm', protocolType: 'consumer', protocolName: 'range', assignments: [] },
  {
    groupId: 'odd-none',
    generationId: 1,
    memberId: 'm',
    protocolType: 'consumer',
    protocolName: 'range',
    assignments: [],
  },
  {
    groupId: 'odd-g',
    generationId: 1,
    memberId: 'm',
    protocolType: 'consumer',
    protocolName: 'range',
    assignments: [],
  },
  {
    groupId: 'odd-g',
    generationId: -1,
    memberId: '',
    protocolType: 'consumer',
    protocolName: 'range',
    assignments: [],
  },
  { groupId: 'odd-g', generationId: 1, memberId: 'm', protocolType: null, protocolName: 'range', assignments: [] },
  { groupId: 'odd-g', generationId: 1, memberId: 'm', protocolType: 'consumer', protocolName: null, assignments: [] },
  { groupId: '', generationId: 1, memberId: 'm', protocolType: null, protocolName: null, assignments: [] },
])

const heartbeat = requests(
  'Heartbeat',
  [
    { groupId: '', generationId: 1, memberId: 'm' },
    { groupId: 'odd-none', generationId: 1, memberId: 'm' },
    { groupId: 'odd-g', generationId: 1, memberId: 'm' },
    { groupId: 'odd-g', generationId: -1, memberId: '' },
  ],
  0,
  4,
).concat(requests('Heartbeat', [{ groupId: 'odd-g', generationId: 1, memberId: 'm', groupInstanceId: 'who' }], 3, 4))

const leaveGroup = requests(
  'LeaveGroup',
  [
    { groupId: '', memberId: 'm' },
    { groupId: 'odd-none', memberId: 'm' },
    { groupId: 'odd-g', memberId: '' },
  ],
  0,
  2,
).concat(
  requests(
    'LeaveGroup',
    [
      { groupId: '', members: [] },
      { groupId: '', members: [{ memberId: 'm' }] },
      { groupId: 'odd-none', members: [] },
      { groupId: 'odd-none', members: [{ memberId: 'm' }] },
      { groupId: 'odd-g', members: [] },
      { groupId: 'odd-g', members: [{ memberId: 'm' }, { memberId: 'm' }] },
      {
        groupId: 'odd-g',
        members: [
          { memberId: '', groupInstanceId: 'who' },
          { memberId: 'm', groupInstanceId: 'who' },
        ],
      },
      { groupId: 'odd-g', members: [{ memberId: '', groupInstanceId: null }] },
    ],
    3,
    5,
  ),
)

const groups = [
  ...requests(
    'DescribeGroups',
    [{ groups: [] }, { groups: [''] }, { groups: ['odd-none'] }, { groups: ['odd-g', ''] }],
    0,
    5,
    6,
  ),
  ...differing(
    ONCE,
    requests('DescribeGroups', [{ groups: ['odd-none', 'odd-none'] }, { groups: ['odd-g', '', 'odd-g'] }], 6),
  ),
  ...requests('DescribeGroups', [{ groups: ['odd-g', 'odd-none'], includeAuthorizedOperations: true }], 3, 6),
  ...requests('DeleteGroups', [
    { groupsNames: [] },
    { groupsNames: [''] },
    { groupsNames: ['odd-none', 'odd-none'] },
    { groupsNames: ['', 'odd-none'] },
  ]),
  ...requests('OffsetDelete', [
    { groupId: '', topics: [] },
    { groupId: '', topics: [{ name: 'odd-a', partitions: [{ partitionIndex: 0 }] }] },
    { groupId: 'odd-none', topics: [] },
    { groupId: 'odd-none', topics: [{ name: 'none', partitions: [{ partitionIndex: 0 }] }] },
    { groupId: 'odd-g', topics: [] },
    { groupId: 'odd-g', topics: [{ name: 'odd-a', partitions: [] }] },
    { groupId: 'odd-g', topics: [{ name: 'none', partitions: [{ partitionIndex: 0 }] }] },
    {
      groupId: 'odd-g',
      topics: [{ name: 'odd-c', partitions: [{ partitionIndex: -1 }, { partitionIndex: 0 }, { partitionIndex: 0 }] }],
    },
    {
      groupId: 'odd-g',
      topics: [
        { name: 'odd-c', partitions: [{ partitionIndex: 0 }] },
        { name: 'odd-c', partitions: [{ partitionIndex: 0 }] },
      ],
    },
  ]),
  ...requests(
    'ListGroups',
    [{ statesFilter: ['nonsense'] }, { statesFilter: [''] }, { statesFilter: ['Stable'] }],
    4,
    5,
  ),
  ...requests('ListGroups', [{ typesFilter: ['nonsense'] }, { typesFilter: ['share'] }, { typesFilter: [''] }], 5),
]

const initProducerId = requests(
  'InitProducerId',
  [
    { transactionalId: '', transactionTimeoutMs: 60_000 },
    { transactionalId: null, transactionTimeoutMs: -1 },
    { transactionalId: null, transactionTimeoutMs: 0 },
  ],
  0,
  4,
).concat(
  requests(
    'InitProducerId',
    [
      { transactionalId: null, transactionTimeoutMs: 1, producerId: 5, producerEpoch: 3 },
      { transactionalId: null, transactionTimeoutMs: 1, producerId: -1, producerEpoch: 3 },
      { transactionalId: null, transactionTimeoutMs: 1, producerId: 5, producerEpoch: -1 },
      { transactionalId: '', transactionTimeoutMs: 1, producerId: 5, producerEpoch: -1 },
    ],
    3,
    5,
  ),
)

const apiVersions = requests(
  'ApiVersions',
  ['', ' ', '-x', 'x-', 'ä', 'a b'].flatMap(name => [
    { clientSoftwareName: name, clientSoftwareVersion: '1' },
    { clientSoftwareName: 'x', clientSoftwareVersion: name },
  ]),
  3,
  4,
)

const resource = (resourceType: number, resourceName: string, configurationKeys: string[] | null = null) => ({
  resourceType,
  resourceName,
  configurationKeys,
})
const describeConfigs = requests('DescribeConfigs', [
  { resources: [] },
  { resources: [resource(2, 'odd-a', ['none', ''])] },
  { resources: [resource(2, '')] },
  ...[0, 1, 3, 64, 77, -1].map(type => ({ resources: [resource(type, 'x')] })),
  { resources: [resource(32, '')] },
  { resources: [resource(32, 'odd-none', ['consumer.session.timeout.ms', 'share.record.lock.duration.ms'])] },
  { resources: [resource(16, '')] },
  ...['', 'x', '99'].map(name => ({ resources: [resource(8, name)] })),
  ...['-1', '99999999999', '1.0', ' 1'].map(name => ({ resources: [resource(4, name)] })),
  { resources: [resource(4, '')], includeSynonyms: true },
  { resources: [resource(4, '1', ['min.insync.replicas'])], includeSynonyms: true },
  { resources: [resource(2, 'odd-a', ['min.insync.replicas'])], includeSynonyms: true },
  { resources: [resource(32, 'odd-none')], includeSynonyms: true },
])

const set = (resourceType: number, resourceName: string, ...ops: [string, number, string | null][]) => ({
  resources: [
    {
      resourceType,
      resourceName,
      configs: ops.map(([name, configOperation, value]) => ({ name, configOperation, value })),
    },
  ],
})
const replace = (resourceType: number, resourceName: string, ...configs: [string, string | null][]) => ({
  resources: [{ resourceType, resourceName, configs: configs.map(([name, value]) => ({ name, value })) }],
  validateOnly: true,
})
const twice = (input: { resources: object[] }) => ({ ...input, resources: [...input.resources, ...input.resources] })
const alterConfigs = [
  ...requests('IncrementalAlterConfigs', [
    { resources: [] },
    twice(set(2, 'odd-a', ['retention.ms', 0, '5'])),
    set(2, 'odd-c'),
    set(2, '', ['retention.ms', 0, '5']),
    set(2, 'odd-c', ['', 0, '5']),
    set(2, 'odd-c', ['retention.ms', 1, '5']),
    set(2, 'odd-c', ['none', 1, null]),
    set(2, 'odd-c', ['cleanup.policy', 2, '']),
    set(2, 'odd-c', ['cleanup.policy', 2, 'nonsense']),
    set(2, 'odd-c', ['cleanup.policy', 3, 'nonsense']),
    set(2, 'odd-c', ['min.insync.replicas', 0, '0']),
    set(2, 'odd-c', ['min.insync.replicas', 0, '3']),
    ...[0, 1, 3, 64, -1].map(type => set(type, 'x', ['a', 0, 'b'])),
    set(32, 'odd-n', ['nonsense', 0, '1']),
    set(32, 'odd-n', ['', 0, '1']),
    set(32, '', ['consumer.session.timeout.ms', 0, '50000']),
    set(32, 'odd-n', ['consumer.session.timeout.ms', 0, '50000']),
    set(32, 'odd-n', ['consumer.session.timeout.ms', 0, 'x']),
    set(32, 'odd-n', ['consumer.session.timeout.ms', 0, '1']),
    set(32, 'odd-n', ['consumer.session.timeout.ms', 0, '999999999']),
    set(32, 'odd-n', ['consumer.heartbeat.interval.ms', 0, '6000']),
    set(32, 'odd-n', ['consumer.heartbeat.interval.ms', 0, '1']),
    set(32, 'odd-n', ['consumer.heartbeat.interval.ms', 0, '60000']),
    set(32, 'odd-n', ['share.isolation.level', 0, 'nonsense']),
    set(32, 'odd-n', ['share.auto.offset.reset', 0, 'nonsense']),
    set(32, 'odd-n', ['share.record.lock.duration.ms', 0, '1']),
    set(32, 'odd-n', ['streams.num.standby.replicas', 0, '99']),
    set(32, 'odd-n', ['streams.session.timeout.ms', 0, '1']),
    set(32, 'odd-n', ['nonsense', 1, null]),
    set(32, 'odd-n', ['consumer.session.timeout.ms', 2, '5']),
    set(32, 'odd-n', ['consumer.session.timeout.ms', 1, null]),
    set(32, 'odd-n', ['consumer.heartbeat.interval.ms', 1, null]),
    set(4, '', ['min.insync.replicas', 0, '2']),
    set(4, '', ['min.insync.replicas', 0, '0']),
    set(4, '', ['min.insync.replicas', 0, 'x']),
    set(4, '', ['min.insync.replicas', 0, null]),
    set(4, '1', ['min.insync.replicas', 0, '2']),
    set(4, '1', ['min.insync.replicas', 1, null]),
    set(4, '', ['min.insync.replicas', 1, null]),
    set(4, '', ['min.insync.replicas', 0, '2']),
    set(4, '1', ['log.dirs', 0, '/x']),
    set(4, '', ['num.io.threads', 0, '0']),
    set(4, '-1', ['num.io.threads', 0, '4']),
    set(4, 'x', ['num.io.threads', 0, '4']),
    set(4, '1', ['broker.id', 0, '7']),
    set(4, '', ['log.retention.ms', 0, '-2']),
    set(4, '', ['log.cleanup.policy', 0, 'nonsense']),
    set(4, '', ['log.cleanup.policy', 2, 'compact']),
    set(4, '', ['log.cleanup.policy', 1, null]),
  ]),
  ...requests('AlterConfigs', [
    { resources: [], validateOnly: true },
    replace(2, 'odd-a'),
    replace(2, 'odd-a', ['retention.ms', null]),
    replace(2, 'odd-a', ['retention.ms', '5'], ['retention.ms', '6']),
    replace(2, 'odd-a', ['nonsense', '5']),
    replace(2, '', ['retention.ms', '5']),
    replace(32, 'odd-n', ['nonsense', '5']),
    replace(32, '', ['consumer.session.timeout.ms', '50000']),
    replace(32, 'odd-n', ['consumer.session.timeout.ms', 'x']),
    replace(77, 'x', ['a', 'b']),
    replace(4, 'x', ['num.io.threads', '4']),
    replace(8, '1', ['root', 'INFO']),
    replace(4, '', ['num.io.threads', '4']),
    replace(4, '', ['min.insync.replicas', '1']),
    replace(4, '1', ['min.insync.replicas', '1']),
  ]),
]

const others = [
  ...requests('DescribeConfigs', [
    { resources: [resource(4, '', ['min.insync.replicas'])], includeSynonyms: true },
    { resources: [resource(4, '1', ['min.insync.replicas'])], includeSynonyms: true },
    { resources: [resource(2, 'odd-a', ['min.insync.replicas'])], includeSynonyms: true },
    { resources: [resource(32, 'odd-n')], includeSynonyms: true },
  ]),
  ...requests('DescribeLogDirs', [
    { topics: [] },
    { topics: [{ topic: 'none', partitions: [0] }] },
    { topics: [{ topic: 'odd-a', partitions: [] }] },
    { topics: [{ topic: 'odd-c', partitions: [0, 0, -1] }] },
  ]),
  ...requests(
    'ElectLeaders',
    [
      { electionType: 0, topicPartitions: [], timeoutMs: 5000 },
      { electionType: 1, topicPartitions: [{ topic: 'odd-a', partitions: [0] }], timeoutMs: 5000 },
      { electionType: 2, topicPartitions: [{ topic: 'odd-a', partitions: [0] }], timeoutMs: 5000 },
      { electionType: -1, topicPartitions: [{ topic: 'odd-a', partitions: [0] }], timeoutMs: 5000 },
      { electionType: 0, topicPartitions: [{ topic: 'odd-a', partitions: [] }], timeoutMs: 5000 },
      { electionType: 0, topicPartitions: [{ topic: 'odd-a', partitions: [0, 0, -1] }], timeoutMs: 5000 },
      { electionType: 0, topicPartitions: [{ topic: '', partitions: [0] }], timeoutMs: 5000 },
      { electionType: 1, topicPartitions: null, timeoutMs: 5000 },
      { electionType: 0, topicPartitions: null, timeoutMs: 5000 },
    ],
    2,
  ),
  ...requests('DescribeCluster', [{ endpointType: 0 }, { endpointType: -1 }], 1),
  ...requests('DescribeCluster', [{ endpointType: 1, includeFencedBrokers: true }], 2),
  ...requests('DescribeProducers', [
    { topics: [] },
    { topics: [{ name: 'odd-a', partitionIndexes: [] }] },
    { topics: [{ name: 'odd-a', partitionIndexes: [-1, 0] }] },
    ...ODD_NAMES.map(name => ({ topics: [{ name, partitionIndexes: [0] }] })),
  ]),
  ...requests(
    'ListConfigResources',
    [
      { resourceTypes: [99] },
      { resourceTypes: [0] },
      { resourceTypes: [4, 4] },
      { resourceTypes: [-1] },
      { resourceTypes: [32, 16] },
    ],
    1,
  ),
  ...requests('DeleteRecords', [
    { topics: [], timeoutMs: 5000 },
    { topics: [{ name: 'odd-a', partitions: [] }], timeoutMs: 5000 },
    { topics: [{ name: 'odd-a', partitions: [{ partitionIndex: -1, offset: 0 }] }], timeoutMs: 5000 },
    { topics: [{ name: 'odd-a', partitions: [{ partitionIndex: 0, offset: -2 }] }], timeoutMs: 5000 },
    {
      topics: [{ name: 'odd-a', partitions: [{ partitionIndex: 0, offset: Number.MAX_SAFE_INTEGER }] }],
      timeoutMs: 5000,
    },
    ...ODD_NAMES.map(name => ({ topics: [{ name, partitions: [{ partitionIndex: 0, offset: 0 }] }], timeoutMs: 5000 })),
  ]),
]

const different: OddRequest[] = [
  ...differing('a topic without partitions is answered', requests('Produce', [put([])], 12)),
  ...differing(
    ONCE,
    requests('DescribeConfigs', [
      { resources: [resource(2, 'odd-a', ['retention.ms']), resource(2, 'odd-a', ['segment.ms'])] },
    ]),
  ),
  ...differing(
    ONCE,
    requests('DescribeProducers', [
      { topics: [{ name: 'odd-a', partitionIndexes: [-1, 0, 0] }] },
      {
        topics: [
          { name: 'odd-a', partitionIndexes: [0] },
          { name: 'odd-a', partitionIndexes: [0] },
        ],
      },
    ]),
  ),
  ...differing('no client metrics', requests('DescribeConfigs', [{ resources: [resource(16, 'odd-none')] }])),
  ...differing('no listener is changed while the broker runs', [
    ...requests('IncrementalAlterConfigs', [set(4, '1', ['listeners', 0, 'PLAINTEXT://x:1'])]),
  ]),
  ...differing(FAULT, [
    ...requests('IncrementalAlterConfigs', [
      set(2, 'odd-c', ['retention.ms', 9, '5']),
      set(2, 'odd-c', ['retention.ms', -1, '5']),
    ]),
  ]),
  ...differing('Apache never answers', [
    ...requests('AlterConfigs', [twice(replace(2, 'odd-a', ['retention.ms', '5']))]),
  ]),
]

const remove = (...topics: object[]) => ({ topics, timeoutMs: 5000 })
const deleteTopics: OddRequest[] = [
  ...requests('DeleteTopics', [
    remove(),
    remove({ name: 'odd-d', topicId: NO_TOPIC }),
    idOf => remove({ name: 'odd-d', topicId: idOf('odd-d') }),
    idOf => remove({ name: 'odd-d' }, { name: null, topicId: idOf('odd-d') }),
    idOf => remove({ name: null, topicId: idOf('odd-d') }, { name: 'odd-d' }),
    idOf => remove({ name: null, topicId: idOf('odd-d') }, { name: null, topicId: idOf('odd-d') }, { name: 'odd-d' }),
    idOf => remove({ name: 'odd-d', topicId: idOf('odd-d') }, { name: 'odd-e', topicId: idOf('odd-d') }),
    remove({ name: 'odd-d' }, { name: 'odd-d' }),
    idOf => remove({ name: null, topicId: idOf('odd-d') }, { name: null, topicId: idOf('odd-d') }),
    remove({ name: null, topicId: NO_TOPIC }, { name: null, topicId: NO_TOPIC }),
    remove({ name: null }, { name: null }),
    remove(...named(...ODD_NAMES)),
    idOf => remove({ name: 'odd-e', topicId: idOf('odd-d') }),
    idOf => remove({ name: null, topicId: idOf('odd-f') }, { name: 'odd-f' }, { name: 'odd-f' }),
    idOf => remove({ name: null, topicId: idOf('odd-g') }, { name: 'none' }),
  ]),
  ...requests(
    'DeleteTopics',
    [
      { topicNames: [], timeoutMs: 5000 },
      { topicNames: ['none', 'odd-d', 'odd-d'], timeoutMs: 5000 },
      { topicNames: ODD_NAMES, timeoutMs: 5000 },
    ],
    1,
    3,
    5,
  ),
  // whatever survived
  ...requests(
    'Metadata',
    [{ topics: named('odd-d', 'odd-e', 'odd-f', 'odd-g', 'odd-h'), allowAutoTopicCreation: false }],
    12,
  ),
]

/**
 * Requests with empty lists, nulls, unknown names and ids, duplicates, negative and unknown values,
 * for every API that is served.
 */
export const ODD_REQUESTS: readonly OddRequest[] = [
  ...metadata,
  ...describeTopicPartitions,
  ...createTopics,
  ...createPartitions,
  ...listOffsets,
  ...offsetForLeaderEpoch,
  ...fetchByName,
  ...fetchById,
  ...produce,
  ...offsetCommit,
  ...offsetFetch,
  ...findCoordinator,
  ...joinGroup,
  ...syncGroup,
  ...heartbeat,
  ...leaveGroup,
  ...groups,
  ...initProducerId,
  ...apiVersions,
  ...describeConfigs,
  ...alterConfigs,
  ...others,
  ...faults,
  ...different,
  ...deleteTopics,
]
