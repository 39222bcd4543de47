import { type ConfigValues, defineConfig } from 'millrace/connect'
import { bulkKeys } from './config/bulk-keys.ts'
import { connectionKeys, proxyKeys } from './config/connection-keys.ts'
import { conversionKeys } from './config/conversion-keys.ts'
import { securityKeys } from './config/security-keys.ts'
import { targetKeys } from './config/target-keys.ts'

/**
 * All keys of Confluent's Elasticsearch sink, with its names and defaults, and some that only
 * Millrace has.
 */
export const config = defineConfig({
  ...connectionKeys,
  ...bulkKeys,
  ...conversionKeys,
  ...proxyKeys,
  ...securityKeys,
  ...targetKeys,
})

export type ElasticsearchConfig = ConfigValues<typeof config>
