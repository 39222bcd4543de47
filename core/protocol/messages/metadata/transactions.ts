import { int8, message, string } from '../../schema/declare.ts'

/**
 * KRaft metadata transactions (KIP-868). The records between begin and end are applied together.
 * NoOpRecord only advances the high watermark.
 */
export const BeginTransactionRecord = message({
  name: 'BeginTransactionRecord',
  type: 'data',
  apiKey: 23,
  versions: '0',
  flexible: '0+',
  fields: {
    name: string('0+', { default: null, nullable: '0+', tag: 0, tagged: '0+' }),
  },
})

export const EndTransactionRecord = message({
  name: 'EndTransactionRecord',
  type: 'data',
  apiKey: 24,
  versions: '0',
  flexible: '0+',
  fields: {},
})

export const AbortTransactionRecord = message({
  name: 'AbortTransactionRecord',
  type: 'data',
  apiKey: 25,
  versions: '0',
  flexible: '0+',
  fields: {
    reason: string('0+', { default: null, nullable: '0+', tag: 0, tagged: '0+' }),
  },
})

export const NoOpRecord = message({
  name: 'NoOpRecord',
  type: 'data',
  apiKey: 20,
  versions: '0',
  flexible: '0+',
  fields: {},
})

export const ZkMigrationStateRecord = message({
  name: 'ZkMigrationStateRecord',
  type: 'data',
  apiKey: 21,
  versions: '0',
  flexible: '0+',
  fields: {
    zkMigrationState: int8('0+'),
  },
})
