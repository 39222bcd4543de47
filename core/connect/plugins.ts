import type { ConfigDef, ConfigValues } from '../common/config/define.ts'
import type { Logger } from '../common/log.ts'
import type { Props } from './props.ts'
import type { ConnectRecord, Header } from './record.ts'
import type { Schema } from './schema.ts'

/** The context of `configure` for a transformation or a predicate. */
export interface ConfigureContext {
  /** The configuration as text, prefixes removed and config providers resolved. */
  readonly configs: Props
  readonly logger: Logger
}

/** The context of `configure` for a converter. */
export interface ConverterContext extends ConfigureContext {
  /** Whether the converter is for keys rather than for values or headers. */
  readonly isKey: boolean
}

/**
 * The common part of transformations, predicates and converters. The runtime constructs them
 * without arguments.
 */
interface Configurable<C extends ConfigDef, Context extends ConfigureContext = ConfigureContext> {
  /** The version that REST shows. Default: the version of the plugin's package. */
  readonly version?: string
  /** The configuration keys that users may set. Default: none. */
  readonly config?: C
  /**
   * Called once, before the first record. `settings` are the parsed values of `config`. Throw to
   * refuse them.
   */
  configure?(settings: ConfigValues<C>, context: Context): void
  /** Releases everything. */
  close?(): void
}

/**
 * Changes records between the connector and the log, one at a time, without I/O. Must be pure: it
 * may run again on the same record.
 */
export interface Transformation<C extends ConfigDef = ConfigDef> extends Configurable<C> {
  /**
   * Returns a changed copy, the same record, or null to drop it. Throws a DataError for a record
   * that it cannot take.
   */
  apply<R extends ConnectRecord>(record: R): R | null
}

/** Decides which records a transformation is applied to. */
export interface Predicate<C extends ConfigDef = ConfigDef> extends Configurable<C> {
  test(record: ConnectRecord): boolean
}

/** A value of Connect's data model with its schema; the schema is null for data without one. */
export interface SchemaAndValue {
  readonly schema: Schema | null
  readonly value: unknown
}

/**
 * Turns keys or values into bytes and back, synchronously. For speed, derive what depends on a
 * schema once and keep it in a `SchemaCache`.
 */
export interface Converter<C extends ConfigDef = ConfigDef> extends Configurable<C, ConverterContext> {
  /** Returns the bytes of a key or value. Null is a null key or a tombstone. Throws a DataError. */
  fromConnectData(topic: string, schema: Schema | null, value: unknown, headers: readonly Header[]): Buffer | null
  /**
   * Optional. Does the same as `fromConnectData` for a converter whose bytes are UTF-8 text. The
   * runtime calls it for the values of a source and encodes the text directly into the batch, which
   * saves one buffer per record. May return bytes if they are cheaper.
   */
  fromConnectText?(
    topic: string,
    schema: Schema | null,
    value: unknown,
    headers: readonly Header[],
  ): string | Buffer | null
  /** Returns the key or value that the bytes hold, and its schema. Throws a DataError. */
  toConnectData(topic: string, bytes: Buffer | null, headers: readonly RawHeader[]): SchemaAndValue
}

/** A header as the broker stores it. */
export interface RawHeader {
  readonly key: string
  readonly value: Buffer | null
}

/** Turns the values of headers into bytes and back. */
export interface HeaderConverter<C extends ConfigDef = ConfigDef> extends Configurable<C, ConverterContext> {
  fromConnectHeader(topic: string, key: string, schema: Schema | null, value: unknown): Buffer | null
  toConnectHeader(topic: string, key: string, bytes: Buffer | null): SchemaAndValue
}
