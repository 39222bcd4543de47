import { array, int16, int32, int64, message, string, struct, uint16, uuid } from '../../schema/declare.ts'

/**
 * The values of control records in the metadata log. They describe leader changes (KIP-595), the
 * header and footer of a snapshot (KIP-630), the KRaft version and the voters (KIP-853).
 */
const voter = {
  voterId: int32('0+'),
  voterDirectoryId: uuid('1+'),
}

export const LeaderChangeMessage = message({
  name: 'LeaderChangeMessage',
  type: 'data',
  versions: '0-1',
  flexible: '0+',
  fields: {
    version: int16('0+'),
    leaderId: int32('0+'),
    voters: array('0+', voter),
    grantingVoters: array('0+', voter),
  },
})

export const SnapshotHeaderRecord = message({
  name: 'SnapshotHeaderRecord',
  type: 'data',
  versions: '0',
  flexible: '0+',
  fields: {
    version: int16('0+'),
    lastContainedLogTimestamp: int64('0+'),
  },
})

export const SnapshotFooterRecord = message({
  name: 'SnapshotFooterRecord',
  type: 'data',
  versions: '0',
  flexible: '0+',
  fields: {
    version: int16('0+'),
  },
})

export const KRaftVersionRecord = message({
  name: 'KRaftVersionRecord',
  type: 'data',
  versions: '0',
  flexible: '0+',
  fields: {
    version: int16('0+'),
    kRaftVersion: int16('0+'),
  },
})

export const VotersRecord = message({
  name: 'VotersRecord',
  type: 'data',
  versions: '0',
  flexible: '0+',
  fields: {
    version: int16('0+'),
    voters: array('0+', {
      voterId: int32('0+'),
      voterDirectoryId: uuid('0+'),
      endpoints: array('0+', {
        name: string('0+'),
        host: string('0+'),
        port: uint16('0+'),
      }),
      kRaftVersionFeature: struct('0+', {
        minSupportedVersion: int16('0+'),
        maxSupportedVersion: int16('0+'),
      }),
    }),
  },
})
