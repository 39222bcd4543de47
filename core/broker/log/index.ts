export { DEFAULT_LOG_CONFIG, NEVER } from './log-config.ts'
export { LogManager } from './log-manager.ts'
export { PartitionLog } from './partition-log.ts'
export type {
  AbortedTransaction,
  AppendOptions,
  AppendOrigin,
  AppendResult,
  LogConfig,
  LogManagerOptions,
  OffsetAndTimestamp,
  ProducerStateView,
  ReadOptions,
  ReadResult,
  TopicCompression,
} from './types.ts'
