import { array, int8, int32, message, string, uuid } from '../../schema/declare.ts'

/** KRaft metadata records about topics and their partitions. */
export const TopicRecord = message({
  name: 'TopicRecord',
  type: 'data',
  apiKey: 2,
  versions: '0',
  flexible: '0+',
  fields: {
    name: string('0+'),
    topicId: uuid('0+'),
  },
})

export const PartitionRecord = message({
  name: 'PartitionRecord',
  type: 'data',
  apiKey: 3,
  versions: '0-2',
  flexible: '0+',
  fields: {
    partitionId: int32('0+', { default: -1 }),
    topicId: uuid('0+'),
    replicas: array('0+', 'int32'),
    isr: array('0+', 'int32'),
    removingReplicas: array('0+', 'int32'),
    addingReplicas: array('0+', 'int32'),
    leader: int32('0+', { default: -1 }),
    leaderRecoveryState: int8('0+', { tag: 0, tagged: '0+' }),
    leaderEpoch: int32('0+', { default: -1 }),
    partitionEpoch: int32('0+', { default: -1 }),
    directories: array('1+', 'uuid'),
    eligibleLeaderReplicas: array('2+', 'int32', { default: null, nullable: '2+', tag: 1, tagged: '2+' }),
    lastKnownElr: array('2+', 'int32', { default: null, nullable: '2+', tag: 2, tagged: '2+' }),
  },
})

export const PartitionChangeRecord = message({
  name: 'PartitionChangeRecord',
  type: 'data',
  apiKey: 5,
  versions: '0-2',
  flexible: '0+',
  fields: {
    partitionId: int32('0+', { default: -1 }),
    topicId: uuid('0+'),
    isr: array('0+', 'int32', { default: null, nullable: '0+', tag: 0, tagged: '0+' }),
    leader: int32('0+', { default: -2, tag: 1, tagged: '0+' }),
    replicas: array('0+', 'int32', { default: null, nullable: '0+', tag: 2, tagged: '0+' }),
    removingReplicas: array('0+', 'int32', { default: null, nullable: '0+', tag: 3, tagged: '0+' }),
    addingReplicas: array('0+', 'int32', { default: null, nullable: '0+', tag: 4, tagged: '0+' }),
    leaderRecoveryState: int8('0+', { default: -1, tag: 5, tagged: '0+' }),
    directories: array('1+', 'uuid', { default: null, nullable: '1+', tag: 8, tagged: '1+' }),
    eligibleLeaderReplicas: array('2+', 'int32', { default: null, nullable: '2+', tag: 6, tagged: '2+' }),
    lastKnownElr: array('2+', 'int32', { default: null, nullable: '2+', tag: 7, tagged: '2+' }),
  },
})

export const RemoveTopicRecord = message({
  name: 'RemoveTopicRecord',
  type: 'data',
  apiKey: 9,
  versions: '0',
  flexible: '0+',
  fields: {
    topicId: uuid('0+'),
  },
})

export const ClearElrRecord = message({
  name: 'ClearElrRecord',
  type: 'data',
  apiKey: 28,
  versions: '0',
  flexible: '0+',
  fields: {
    topicName: string('0+'),
  },
})
