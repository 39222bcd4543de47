import type { ConfigDef, ConnectRecord, Schema, Transformation } from 'millrace/connect'
import { copyRecord } from 'millrace/connect/java'

export type Side = 'key' | 'value'

/**
 * The base class of transformations of the key or the value. Each transformation has two
 * subclasses, `...Key` and `...Value`.
 */
export abstract class SidedTransformation implements Transformation {
  abstract readonly config: ConfigDef
  readonly #isKey: boolean

  constructor(side: Side) {
    this.#isKey = side === 'key'
  }

  abstract apply<R extends ConnectRecord>(record: R): R | null

  protected get isKey(): boolean {
    return this.#isKey
  }

  protected schemaOf(record: ConnectRecord): Schema | null {
    return this.#isKey ? record.keySchema : record.valueSchema
  }

  protected valueOf(record: ConnectRecord): unknown {
    return this.#isKey ? record.key : record.value
  }

  protected changed<R extends ConnectRecord>(record: R, schema: Schema | null, value: unknown): R {
    const copy = copyRecord(record)
    if (this.#isKey) {
      copy.keySchema = schema
      copy.key = value
    } else {
      copy.valueSchema = schema
      copy.value = value
    }
    return copy as R
  }
}
