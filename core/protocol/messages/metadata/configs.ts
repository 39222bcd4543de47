import { array, bool, float64, int8, int16, message, string } from '../../schema/declare.ts'

/** KRaft metadata records about settings, quotas and feature levels. */
export const ConfigRecord = message({
  name: 'ConfigRecord',
  type: 'data',
  apiKey: 4,
  versions: '0',
  flexible: '0+',
  fields: {
    resourceType: int8('0+'),
    resourceName: string('0+'),
    name: string('0+'),
    value: string('0+', { nullable: '0+' }),
  },
})

export const ClientQuotaRecord = message({
  name: 'ClientQuotaRecord',
  type: 'data',
  apiKey: 14,
  versions: '0',
  flexible: '0+',
  fields: {
    entity: array('0+', {
      entityType: string('0+'),
      entityName: string('0+', { nullable: '0+' }),
    }),
    key: string('0+'),
    value: float64('0+'),
    remove: bool('0+'),
  },
})

export const FeatureLevelRecord = message({
  name: 'FeatureLevelRecord',
  type: 'data',
  apiKey: 12,
  versions: '0',
  flexible: '0+',
  fields: {
    name: string('0+'),
    featureLevel: int16('0+'),
  },
})
