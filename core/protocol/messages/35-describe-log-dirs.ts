import { array, bool, int16, int32, int64, message, string } from '../schema/declare.ts'

/** DescribeLogDirs returns the sizes of replicas, by log directory (KIP-113, KIP-827). */
export const DescribeLogDirsRequest = message({
  name: 'DescribeLogDirsRequest',
  type: 'request',
  apiKey: 35,
  versions: '1-5',
  flexible: '2+',
  fields: {
    topics: array(
      '0+',
      {
        topic: string('0+'),
        partitions: array('0+', 'int32'),
      },
      { nullable: '0+' },
    ),
  },
})

export const DescribeLogDirsResponse = message({
  name: 'DescribeLogDirsResponse',
  type: 'response',
  apiKey: 35,
  versions: '1-5',
  flexible: '2+',
  fields: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('3+', { ignorable: true }),
    results: array('0+', {
      errorCode: int16('0+'),
      logDir: string('0+'),
      topics: array('0+', {
        name: string('0+'),
        partitions: array('0+', {
          partitionIndex: int32('0+'),
          partitionSize: int64('0+'),
          offsetLag: int64('0+'),
          isFutureKey: bool('0+'),
        }),
      }),
      totalBytes: int64('4+', { default: -1, ignorable: true }),
      usableBytes: int64('4+', { default: -1, ignorable: true }),
      isCordoned: bool('5+', { ignorable: true }),
    }),
  },
})
