/** Tools for the tests of plugins: `import { configured } from 'millrace/testing'`. */
export { completeRecord } from '../connect/record.ts'
export { valueFault as schemaFault } from '../connect/value-fault.ts'
export { type ConfiguredOptions, configured, parseSettings, validateConnector } from './configured.ts'
export type { ConformanceCheck, ConformanceOptions, Fixture, InvalidConfig, Outage } from './conformance/check.ts'
export { type SinkConformanceOptions, type SinkFixture, sinkConformance } from './conformance/sink.ts'
export { type SourceConformanceOptions, type SourceFixture, sourceConformance } from './conformance/source.ts'
export type { DataConverter } from './data-converter.ts'
export {
  type ChainPlugin,
  Harness,
  type HarnessOptions,
  type HarnessState,
  type HarnessTransform,
} from './harness.ts'
export type { TaskCall } from './lifecycle.ts'
export { type LogLine, MemoryLogger } from './memory-logger.ts'
export { OffsetStorage } from './offset-storage.ts'
export { type DeadLetter, type SentRecord, SinkHarness } from './sink-harness.ts'
export { SourceHarness, type SourceHarnessOptions } from './source-harness.ts'
export { startTestBroker, type TestBroker, type TestBrokerOptions } from './test-broker.ts'
export { type ConnectorStatus, startTestWorker, type TestWorker, type TestWorkerOptions } from './test-worker.ts'
