import type { ConfigDef } from '../common/config/define.ts'
import type { Props } from './props.ts'
import type { ConnectRecord, Header } from './record.ts'
import type { Schema } from './schema.ts'

/** What transformations, predicates and converters share. Constructed without arguments. */
interface Configurable {
  readonly version: string
  readonly config: ConfigDef
  configure(props: Props): void
  close?(): void
}

/** Changes records on their way, one at a time, without I/O. Must be pure: it may run again on the same record. */
export interface Transformation extends Configurable {
  /** The changed record, the same one, or null to drop it. Throws DataError for a record that it cannot take. */
  apply<R extends ConnectRecord>(record: R): R | null
}

/** Decides for which records a transformation is applied. */
export interface Predicate extends Configurable {
  test(record: ConnectRecord): boolean
}

export interface SchemaAndValue {
  readonly schema: Schema | null
  readonly value: unknown
}

/** Turns keys and values into bytes and back. Synchronous; compiles a serialiser per schema and keeps it. */
export interface Converter extends Configurable {
  /** `isKey` says which of a record's two it will convert. `props` are those under `key.converter.` / `value.converter.`, prefix removed. */
  configure(props: Props, isKey?: boolean): void
  /** Null stands for a null key or a tombstone. Throws DataError. */
  fromConnectData(topic: string, schema: Schema | null, value: unknown, headers: readonly Header[]): Buffer | null
  /**
   * Optional: the same, for a converter whose bytes are UTF-8 text. The runtime calls it for the
   * values of a source and encodes the text directly into the batch, which saves a buffer per
   * record. May return bytes if that is cheaper.
   */
  fromConnectText?(
    topic: string,
    schema: Schema | null,
    value: unknown,
    headers: readonly Header[],
  ): string | Buffer | null
  /** Throws DataError. */
  toConnectData(topic: string, bytes: Buffer | null, headers: readonly RawHeader[]): SchemaAndValue
}

export interface RawHeader {
  readonly key: string
  readonly value: Buffer | null
}

/** Turns header values into bytes and back. */
export interface HeaderConverter extends Configurable {
  fromConnectHeader(topic: string, key: string, schema: Schema | null, value: unknown): Buffer | null
  toConnectHeader(topic: string, key: string, bytes: Buffer | null): SchemaAndValue
}
