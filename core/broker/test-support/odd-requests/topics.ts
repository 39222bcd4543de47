import {
  LONG_NAME,
  MAX_INT32,
  MIN_INT32,
  NO_TOPIC,
  named,
  ODD_NAMES,
  type OddRequest,
  requests,
} from './odd-request.ts'

export const metadata: OddRequest[] = [
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

export const describeTopicPartitions = requests('DescribeTopicPartitions', [
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
export const createTopics = requests('CreateTopics', [
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

export const createPartitions = requests(
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
    { topics: ['', 'a b', LONG_NAME, 'none'].map(name => ({ name, count: 5 })), timeoutMs: 5000 },
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

const remove = (...topics: object[]) => ({ topics, timeoutMs: 5000 })
export const deleteTopics: OddRequest[] = [
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
  // Check which topics still exist.
  ...requests(
    'Metadata',
    [{ topics: named('odd-d', 'odd-e', 'odd-f', 'odd-g', 'odd-h'), allowAutoTopicCreation: false }],
    12,
  ),
]
