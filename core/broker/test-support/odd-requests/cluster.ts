import { resource } from './configs.ts'
import { ODD_NAMES, requests } from './odd-request.ts'

export const initProducerId = requests(
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

export const apiVersions = requests(
  'ApiVersions',
  ['', ' ', '-x', 'x-', 'ä', 'a b'].flatMap(name => [
    { clientSoftwareName: name, clientSoftwareVersion: '1' },
    { clientSoftwareName: 'x', clientSoftwareVersion: name },
  ]),
  3,
  4,
)

export const others = [
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
