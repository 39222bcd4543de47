import type { ConfigDef, ConfigValues } from '../common/config/define.ts'
import type { Logger } from '../common/log.ts'
import type { Props } from './props.ts'
import type { ConnectRecord, Header } from './record.ts'
import type { Schema } from './schema.ts'

/** The context of `configure` for a transformation or a predicate. */
export interface ConfigureContext {
  /** The configuration as text. Prefixes are removed, and config providers are resolved. */
  readonly configs: Props
  readonly logger: Logger
}

/** The context of `configure` for a converter. */
export interface ConverterContext extends ConfigureContext {
  /** Whether the converter is for keys rather than for values or headers. */
  readonly isKey: boolean
}

/**
 * The common part of transformations, predicates and converters. The runtime calls their
 * constructors without arguments.
 */
interface Configurable<C extends ConfigDef, Context extends ConfigureContext = ConfigureContext> {
  /** The version that REST shows. Default: the version in the plugin's package.json. */
  readonly version?: string
  /** The configuration keys that users may set. Default: none. */
  readonly config?: C
  /**
   * Called once, before the first record. `settings` contains the parsed values of `config`. Throw
   * to reject the settings.
   */
  configure?(settings: ConfigValues<C>, context: Context): void
  /** Releases all resources. */
  close?(): void
}

/**
 * Changes records between the connector and the log, one at a time, without I/O. A transformation
 * must be pure, because it may be applied to the same record again.
 */
export interface Transformation<C extends ConfigDef = ConfigDef> extends Configurable<C> {
  /**
   * Returns a changed copy of the record, or the record itself, or null to drop the record. Throws
   * a DataError if it cannot transform the record.
   */
  apply<R extends ConnectRecord>(record: R): R | null
}

/** Decides to which records a transformation is applied. */
export interface Predicate<C extends ConfigDef = ConfigDef> extends Configurable<C> {
  test(record: ConnectRecord): boolean
}

/** A value of Connect's data model and its schema. The schema is null for data without a schema. */
export interface SchemaAndValue {
  readonly schema: Schema | null
  readonly value: unknown
}

/**
 * Converts keys or values to bytes and back, synchronously. For speed, compute everything that
 * depends on a schema once per schema, and keep it in a `SchemaCache`.
 */
export interface Converter<C extends ConfigDef = ConfigDef> extends Configurable<C, ConverterContext> {
  /**
   * Returns the bytes of a key or value. Null means a null key or a tombstone. Throws a DataError.
   */
  fromConnectData(topic: string, schema: Schema | null, value: unknown, headers: readonly Header[]): Buffer | null
  /**
   * A faster form of `fromConnectData` for a converter whose bytes are UTF-8 text. Optional. The
   * runtime calls it for the values of a source and encodes the text directly into the batch, which
   * saves one buffer per record. It may return bytes if bytes are cheaper.
   */
  fromConnectText?(
    topic: string,
    schema: Schema | null,
    value: unknown,
    headers: readonly Header[],
  ): string | Buffer | null
  /** Returns the key or value that the bytes contain, and its schema. Throws a DataError. */
  toConnectData(topic: string, bytes: Buffer | null, headers: readonly RawHeader[]): SchemaAndValue
}

/** A header as the broker stores it. */
export interface RawHeader {
  readonly key: string
  readonly value: Buffer | null
}

/** Converts header values to bytes and back. */
export interface HeaderConverter<C extends ConfigDef = ConfigDef> extends Configurable<C, ConverterContext> {
  fromConnectHeader(topic: string, key: string, schema: Schema | null, value: unknown): Buffer | null
  toConnectHeader(topic: string, key: string, bytes: Buffer | null): SchemaAndValue
}
