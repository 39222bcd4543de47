/** Tools for the tests of plugins: `import { configured } from 'millrace/testing'`. */
export { completeRecord } from '../connect/record.ts'
export { type ConfiguredOptions, configured, parseSettings, validateConnector } from './configured.ts'
