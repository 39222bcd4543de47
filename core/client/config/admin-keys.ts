import { defineConfig } from '../../common/config/define.ts'
import { key } from '../../common/config/key.ts'
import { commonClientConfig } from './common-keys.ts'
import { apiTimeoutKey } from './consumer-keys.ts'
import { distinctNames } from './distinct.ts'
import { securityConfig } from './security-keys.ts'

/** The settings that only admin clients have (Kafka's AdminClientConfig). */
export const adminKeys = defineConfig({
  'connections.max.idle.ms': { ...commonClientConfig['connections.max.idle.ms'], default: 300_000 },
  'default.api.timeout.ms': apiTimeoutKey,
  retries: key.int({
    default: 2_147_483_647,
    min: 0,
    max: 2_147_483_647,
    importance: 'LOW',
    noEffect: 'The admin client retries until default.api.timeout.ms has passed.',
    documentation: 'The maximum number of times a request is sent again after a retriable error.',
  }),
  'bootstrap.controllers': key.list({
    default: [],
    validator: distinctNames,
    importance: 'HIGH',
    noEffect: 'The admin client connects to brokers only.',
    documentation: 'The addresses of controllers, for requests that bypass the brokers.',
  }),
})

/** All settings of an admin client. */
export const adminConfig = defineConfig({
  ...commonClientConfig,
  ...securityConfig,
  'enable.metrics.push': { ...commonClientConfig['enable.metrics.push'], default: false },
  ...adminKeys,
})
