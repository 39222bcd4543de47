/** The API for plugins: `import { SourceTask } from 'millrace/connect'`. */
export { type Backoff, type BackoffOptions, backoff, backoffMs } from '../common/async/backoff.ts'
export { orAbort } from '../common/async/or-abort.ts'
export { Signal, waitUntil } from '../common/async/signal.ts'
export { sleep, sleepOrAbort } from '../common/async/sleep.ts'
export { timeLimit } from '../common/async/time-limit.ts'
export {
  type ConfigDef,
  type ConfigKey,
  type ConfigType,
  type ConfigValues,
  defineConfig,
  type Importance,
  type Validator,
  type ValueOf,
  type Width,
} from '../common/config/define.ts'
export { key } from '../common/config/key.ts'
export { ConfigError, type ConfigValue, parseConfig, validateConfig } from '../common/config/parse.ts'
export { HIDDEN, Password } from '../common/config/password.ts'
export { all, distinctItems, listOf, nonEmpty, nonNull, oneOf, range, regex } from '../common/config/validators.ts'
export { defineErrors, isRetriable, MillraceError, messageOf } from '../common/errors/error-table.ts'
export type { Logger } from '../common/log.ts'
export {
  type AlteredOffsets,
  type ConnectorContext,
  SinkConnector,
  SourceConnector,
  type SourceConnectorContext,
  type ValidateContext,
} from './connector.ts'
export { Decimal } from './decimal.ts'
export { ConnectError, DataError, RetriableError } from './errors.ts'
export { FarDate, millisOf } from './far-date.ts'
export { Double, double, Float, FloatingNumber } from './java-numbers.ts'
export { DATE, DECIMAL, date, decimal, scaleOf, TIME, TIMESTAMP, time, timestamp } from './logical.ts'
export type { OffsetReader } from './offset-reader.ts'
export { getField, setField } from './own.ts'
export type { PluginMetric, PluginMetrics, SourceLag } from './plugin-metrics.ts'
export type {
  ConfigureContext,
  Converter,
  ConverterContext,
  HeaderConverter,
  Predicate,
  RawHeader,
  SchemaAndValue,
  Transformation,
} from './plugins.ts'
export type { Props } from './props.ts'
export type {
  CompleteSourceRecord,
  ConnectRecord,
  Header,
  SinkRecord,
  SourceOffset,
  SourcePartition,
  SourceRecord,
  TimestampType,
  TopicPartition,
  TopicPartitionOffset,
} from './record.ts'
export {
  array,
  type Field,
  field,
  map,
  primitive,
  type Schema,
  type SchemaOptions,
  type SchemaType,
  type Struct,
  schemasEqual,
  struct,
  withOptions,
} from './schema.ts'
export { SchemaCache } from './schema-cache.ts'
export { type ErrantRecordReporter, SinkTask, type SinkTaskContext } from './sink-task.ts'
export { type RecordMetadata, SourceTask, type SourceTaskContext } from './source-task.ts'
