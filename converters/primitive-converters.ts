import {
  type Converter,
  DataError,
  defineConfig,
  type HeaderConverter,
  primitive,
  type Schema,
  type SchemaAndValue,
  type SchemaType,
} from '../core/connect/index.ts'

type Primitive = Exclude<SchemaType, 'array' | 'map' | 'struct'>

/** What Connect's converters of single values share: fixed-size big-endian bytes (Kafka's serialisers). */
abstract class PrimitiveConverter implements Converter, HeaderConverter {
  readonly version = '0.1.0'
  readonly config = defineConfig({})
  readonly #schema: Schema
  readonly #name: string
  readonly #size: number

  constructor(name: string, type: Primitive, size: number) {
    this.#name = name
    this.#schema = primitive(type, { optional: true })
    this.#size = size
  }

  protected abstract accepts(value: unknown): boolean
  protected abstract write(value: unknown, into: Buffer): void
  protected abstract read(bytes: Buffer): unknown

  configure(): void {}

  fromConnectData(topic: string, schema: Schema | null, value: unknown): Buffer | null {
    if (schema !== null && schema.type !== this.#schema.type) {
      throw new DataError(`${this.#name} takes ${this.#schema.type}, but topic ${topic} got a ${schema.type}`)
    }
    if (value === null || value === undefined) return null
    if (!this.accepts(value)) {
      throw new DataError(
        `${this.#name} cannot convert the ${typeof value} ${String(value).slice(0, 40)} (topic ${topic})`,
      )
    }
    const out = Buffer.allocUnsafe(this.#size)
    this.write(value, out)
    return out
  }

  toConnectData(topic: string, bytes: Buffer | null): SchemaAndValue {
    if (bytes === null) return { schema: this.#schema, value: null }
    if (bytes.length !== this.#size) {
      throw new DataError(`${this.#name} needs ${this.#size} bytes, but a record of topic ${topic} has ${bytes.length}`)
    }
    return { schema: this.#schema, value: this.read(bytes) }
  }

  fromConnectHeader(topic: string, _key: string, schema: Schema | null, value: unknown): Buffer | null {
    return this.fromConnectData(topic, schema, value)
  }

  toConnectHeader(topic: string, _key: string, bytes: Buffer | null): SchemaAndValue {
    return this.toConnectData(topic, bytes)
  }
}

const isInt = (value: unknown, limit: number): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= -limit && value < limit

/** org.apache.kafka.connect.converters.ShortConverter: int16. */
export class ShortConverter extends PrimitiveConverter {
  constructor() {
    super('ShortConverter', 'int16', 2)
  }
  protected accepts(value: unknown): boolean {
    return isInt(value, 2 ** 15)
  }
  protected write(value: unknown, into: Buffer): void {
    into.writeInt16BE(Number(value))
  }
  protected read(bytes: Buffer): unknown {
    return bytes.readInt16BE()
  }
}

/** org.apache.kafka.connect.converters.IntegerConverter: int32. */
export class IntegerConverter extends PrimitiveConverter {
  constructor() {
    super('IntegerConverter', 'int32', 4)
  }
  protected accepts(value: unknown): boolean {
    return isInt(value, 2 ** 31)
  }
  protected write(value: unknown, into: Buffer): void {
    into.writeInt32BE(Number(value))
  }
  protected read(bytes: Buffer): unknown {
    return bytes.readInt32BE()
  }
}

/** org.apache.kafka.connect.converters.LongConverter: int64. */
export class LongConverter extends PrimitiveConverter {
  constructor() {
    super('LongConverter', 'int64', 8)
  }
  protected accepts(value: unknown): boolean {
    return typeof value === 'bigint' ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value)
  }
  protected write(value: unknown, into: Buffer): void {
    into.writeBigInt64BE(BigInt(value as number | bigint))
  }
  protected read(bytes: Buffer): unknown {
    const value = bytes.readBigInt64BE()
    const small = Number(value)
    return Number.isSafeInteger(small) ? small : value
  }
}

/** org.apache.kafka.connect.converters.FloatConverter: float32. */
export class FloatConverter extends PrimitiveConverter {
  constructor() {
    super('FloatConverter', 'float', 4)
  }
  protected accepts(value: unknown): boolean {
    return typeof value === 'number'
  }
  protected write(value: unknown, into: Buffer): void {
    into.writeFloatBE(Number(value))
  }
  protected read(bytes: Buffer): unknown {
    return bytes.readFloatBE()
  }
}

/** org.apache.kafka.connect.converters.DoubleConverter: float64. */
export class DoubleConverter extends PrimitiveConverter {
  constructor() {
    super('DoubleConverter', 'double', 8)
  }
  protected accepts(value: unknown): boolean {
    return typeof value === 'number'
  }
  protected write(value: unknown, into: Buffer): void {
    into.writeDoubleBE(Number(value))
  }
  protected read(bytes: Buffer): unknown {
    return bytes.readDoubleBE()
  }
}

/** org.apache.kafka.connect.converters.BooleanConverter: one byte, 1 or 0. */
export class BooleanConverter extends PrimitiveConverter {
  constructor() {
    super('BooleanConverter', 'boolean', 1)
  }
  protected accepts(value: unknown): boolean {
    return typeof value === 'boolean'
  }
  protected write(value: unknown, into: Buffer): void {
    into[0] = value ? 1 : 0
  }
  protected read(bytes: Buffer): unknown {
    if (bytes[0] === 1) return true
    if (bytes[0] === 0) return false
    throw new DataError(`BooleanConverter: unexpected byte ${bytes[0]}; it must be 0 or 1`)
  }
}
