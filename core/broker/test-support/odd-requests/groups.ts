import { ANSWERED_ONCE, differing, MAX_INT32, NO_TOPIC, ODD_NAMES, requests, ZERO } from './odd-request.ts'

const commit = (partitions: object[], o: object = {}) => ({
  groupId: 'odd-g',
  generationIdOrMemberEpoch: -1,
  memberId: '',
  topics: [{ name: 'odd-a', partitions }],
  ...o,
})
const mark = (o: object) => ({ partitionIndex: 0, committedOffset: 1, ...o })
export const offsetCommit = requests(
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
export const offsetFetch = [
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

export const findCoordinator = [
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
export const joinGroup = requests(
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

export const syncGroup = requests('SyncGroup', [
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

export const heartbeat = requests(
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

export const leaveGroup = requests(
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

export const groups = [
  ...requests(
    'DescribeGroups',
    [{ groups: [] }, { groups: [''] }, { groups: ['odd-none'] }, { groups: ['odd-g', ''] }],
    0,
    5,
    6,
  ),
  ...differing(
    ANSWERED_ONCE,
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
