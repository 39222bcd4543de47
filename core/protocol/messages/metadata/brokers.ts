import { array, bool, int8, int16, int32, int64, message, string, uint16, uuid } from '../../schema/declare.ts'

/**
 * KRaft metadata records about brokers and controllers. BrokerRegistrationChangeRecord has replaced
 * FenceBrokerRecord and UnfenceBrokerRecord. The old records can still be read.
 */
export const RegisterBrokerRecord = message({
  name: 'RegisterBrokerRecord',
  type: 'data',
  apiKey: 0,
  versions: '0-4',
  flexible: '0+',
  fields: {
    brokerId: int32('0+'),
    isMigratingZkBroker: bool('2+'),
    incarnationId: uuid('0+'),
    brokerEpoch: int64('0+'),
    endPoints: array('0+', {
      name: string('0+'),
      host: string('0+'),
      port: uint16('0+'),
      securityProtocol: int16('0+'),
    }),
    features: array('0+', {
      name: string('0+'),
      minSupportedVersion: int16('0+'),
      maxSupportedVersion: int16('0+'),
    }),
    rack: string('0+', { nullable: '0+' }),
    fenced: bool('0+', { default: true }),
    inControlledShutdown: bool('1+'),
    logDirs: array('3+', 'uuid', { tag: 0, tagged: '3+' }),
    cordonedLogDirs: array('4+', 'uuid', { default: null, nullable: '4+', tag: 1, tagged: '4+' }),
  },
})

export const UnregisterBrokerRecord = message({
  name: 'UnregisterBrokerRecord',
  type: 'data',
  apiKey: 1,
  versions: '0',
  flexible: '0+',
  fields: {
    brokerId: int32('0+'),
    brokerEpoch: int64('0+'),
  },
})

export const BrokerRegistrationChangeRecord = message({
  name: 'BrokerRegistrationChangeRecord',
  type: 'data',
  apiKey: 17,
  versions: '0-3',
  flexible: '0+',
  fields: {
    brokerId: int32('0+'),
    brokerEpoch: int64('0+'),
    fenced: int8('0+', { tag: 0, tagged: '0+' }),
    inControlledShutdown: int8('1+', { tag: 1, tagged: '1+' }),
    logDirs: array('2+', 'uuid', { tag: 2, tagged: '2+' }),
    cordonedLogDirs: array('3+', 'uuid', { default: null, nullable: '3+', tag: 3, tagged: '3+' }),
  },
})

export const FenceBrokerRecord = message({
  name: 'FenceBrokerRecord',
  type: 'data',
  apiKey: 7,
  versions: '0',
  flexible: '0+',
  fields: {
    id: int32('0+'),
    epoch: int64('0+'),
  },
})

export const UnfenceBrokerRecord = message({
  name: 'UnfenceBrokerRecord',
  type: 'data',
  apiKey: 8,
  versions: '0',
  flexible: '0+',
  fields: {
    id: int32('0+'),
    epoch: int64('0+'),
  },
})

export const RegisterControllerRecord = message({
  name: 'RegisterControllerRecord',
  type: 'data',
  apiKey: 27,
  versions: '0',
  flexible: '0+',
  fields: {
    controllerId: int32('0+'),
    incarnationId: uuid('0+'),
    zkMigrationReady: bool('0+'),
    endPoints: array('0+', {
      name: string('0+'),
      host: string('0+'),
      port: uint16('0+'),
      securityProtocol: int16('0+'),
    }),
    features: array('0+', {
      name: string('0+'),
      minSupportedVersion: int16('0+'),
      maxSupportedVersion: int16('0+'),
    }),
  },
})
