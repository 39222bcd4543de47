import { repeated, replace, resource, set } from './configs.ts'
import {
  ANSWERED_ONCE,
  APACHE_FAULT,
  differing,
  named,
  ODD_NAMES,
  type OddRequest,
  requests,
  ZERO,
} from './odd-request.ts'
import { put } from './records.ts'

/** Requests that Apache Kafka answers with UNKNOWN_SERVER_ERROR. */
export const faults: OddRequest[] = differing(APACHE_FAULT, [
  ...requests('Metadata', [{ topics: [{ name: null, topicId: ZERO }] }], 12, 13),
  ...requests('DescribeTopicPartitions', [{ topics: named(...ODD_NAMES), responsePartitionLimit: 10 }]),
])

/** Other requests for which Millrace's response deliberately differs from Apache Kafka's. */
export const differences: OddRequest[] = [
  ...differing('Millrace returns an entry for a topic without partitions', requests('Produce', [put([])], 12)),
  ...differing(
    ANSWERED_ONCE,
    requests('DescribeConfigs', [
      { resources: [resource(2, 'odd-a', ['retention.ms']), resource(2, 'odd-a', ['segment.ms'])] },
    ]),
  ),
  ...differing(
    ANSWERED_ONCE,
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
  ...differing(
    'Millrace does not support client metrics',
    requests('DescribeConfigs', [{ resources: [resource(16, 'odd-none')] }]),
  ),
  ...differing('Millrace cannot change listeners while it is running', [
    ...requests('IncrementalAlterConfigs', [set(4, '1', ['listeners', 0, 'PLAINTEXT://x:1'])]),
  ]),
  ...differing(APACHE_FAULT, [
    ...requests('IncrementalAlterConfigs', [
      set(2, 'odd-c', ['retention.ms', 9, '5']),
      set(2, 'odd-c', ['retention.ms', -1, '5']),
    ]),
  ]),
  ...differing('Apache Kafka never sends a response', [
    ...requests('AlterConfigs', [repeated(replace(2, 'odd-a', ['retention.ms', '5']))]),
  ]),
]
