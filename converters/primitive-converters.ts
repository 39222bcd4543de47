import {
  type Converter,
  DataError,
  defineConfig,
  FloatingNumber,
  type HeaderConverter,
  primitive,
  type Schema,
  type SchemaAndValue,
  type SchemaType,
} from 'millrace/connect'
import { converterType } from './common/converter-type.ts'

type Primitive = Exclude<SchemaType, 'array' | 'map' | 'struct'>

/** A type that is serialized as a fixed number of big-endian bytes, as Kafka's serializers do. */
interface Codec {
  readonly name: string
  readonly type: Primitive
  readonly size: number
  accepts(value: unknown): boolean
  write(into: Buffer, value: never): void
  read(bytes: Buffer): unknown
}

class PrimitiveConverter implements Converter, HeaderConverter {
  readonly config = defineConfig({ 'converter.type': converterType })
  readonly #codec: Codec
  readonly #schema: Schema

  constructor(codec: Codec) {
    this.#codec = codec
    this.#schema = primitive(codec.type, { optional: true })
  }

  fromConnectData(topic: string, schema: Schema | null, given: unknown): Buffer | null {
    const { name, type, size } = this.#codec
    const isFloating = given instanceof FloatingNumber && (type === 'double' || type === 'float')
    const value = isFloating ? given.value : given
    // As in Connect, only BooleanConverter checks the schema of a null.
    if ((value === null || value === undefined) && type !== 'boolean') return null
    if (schema !== null && schema.type !== type) {
      throw new DataError(
        `${name} needs a value of type ${type}, but a record for topic ${topic} has type ${schema.type}`,
      )
    }
    if (value === null || value === undefined) return null
    // A double without a schema may have more digits than a float can represent.
    const isLossy =
      schema === null && type === 'float' && typeof value === 'number' && !Object.is(Math.fround(value), value)
    if (isLossy || !this.#codec.accepts(value)) {
      throw new DataError(`${name} cannot convert the ${typeof value} ${String(value).slice(0, 40)} (topic ${topic})`)
    }
    const out = Buffer.allocUnsafe(size)
    this.#codec.write(out, value as never)
    return out
  }

  toConnectData(topic: string, bytes: Buffer | null): SchemaAndValue {
    const { name, size } = this.#codec
    if (bytes === null) return { schema: this.#schema, value: null }
    if (bytes.length !== size) {
      throw new DataError(`${name} needs ${size} bytes, but a record of topic ${topic} has ${bytes.length}`)
    }
    return { schema: this.#schema, value: this.#codec.read(bytes) }
  }

  fromConnectHeader(topic: string, _key: string, schema: Schema | null, value: unknown): Buffer | null {
    return this.fromConnectData(topic, schema, value)
  }

  toConnectHeader(topic: string, _key: string, bytes: Buffer | null): SchemaAndValue {
    return this.toConnectData(topic, bytes)
  }
}

const converterOf = (codec: Codec): (new () => PrimitiveConverter) =>
  class extends PrimitiveConverter {
    constructor() {
      super(codec)
    }
  }

const isInt = (value: unknown, limit: number): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= -limit && value < limit
const isNumber = (value: unknown): boolean => typeof value === 'number'

/**
 * org.apache.kafka.connect.converters.ShortConverter: converts int16 numbers to two bytes, in
 * big-endian order, and back.
 */
export const ShortConverter = converterOf({
  name: 'ShortConverter',
  type: 'int16',
  size: 2,
  accepts: value => isInt(value, 2 ** 15),
  write: (into, value) => into.writeInt16BE(value),
  read: bytes => bytes.readInt16BE(),
})

/**
 * org.apache.kafka.connect.converters.IntegerConverter: converts int32 numbers to four bytes, in
 * big-endian order, and back.
 */
export const IntegerConverter = converterOf({
  name: 'IntegerConverter',
  type: 'int32',
  size: 4,
  accepts: value => isInt(value, 2 ** 31),
  write: (into, value) => into.writeInt32BE(value),
  read: bytes => bytes.readInt32BE(),
})

/**
 * org.apache.kafka.connect.converters.LongConverter: converts int64 numbers to eight bytes, in
 * big-endian order, and back.
 */
export const LongConverter = converterOf({
  name: 'LongConverter',
  type: 'int64',
  size: 8,
  accepts: value => (typeof value === 'bigint' ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value)),
  write: (into, value) => into.writeBigInt64BE(BigInt(value)),
  read(bytes) {
    const value = bytes.readBigInt64BE()
    const small = Number(value)
    return Number.isSafeInteger(small) ? small : value
  },
})

/**
 * org.apache.kafka.connect.converters.FloatConverter: converts float32 numbers to four bytes, in
 * big-endian order, and back.
 */
export const FloatConverter = converterOf({
  name: 'FloatConverter',
  type: 'float',
  size: 4,
  accepts: isNumber,
  write: (into, value) => into.writeFloatBE(value),
  read: bytes => bytes.readFloatBE(),
})

/**
 * org.apache.kafka.connect.converters.DoubleConverter: converts float64 numbers to eight bytes, in
 * big-endian order, and back.
 */
export const DoubleConverter = converterOf({
  name: 'DoubleConverter',
  type: 'double',
  size: 8,
  accepts: isNumber,
  write: (into, value) => into.writeDoubleBE(value),
  read: bytes => bytes.readDoubleBE(),
})

/**
 * org.apache.kafka.connect.converters.BooleanConverter: converts booleans to one byte, 1 or 0, and
 * back.
 */
export const BooleanConverter = converterOf({
  name: 'BooleanConverter',
  type: 'boolean',
  size: 1,
  accepts: value => typeof value === 'boolean',
  write: (into, value) => into.writeUInt8(Number(value)),
  read(bytes) {
    if (bytes[0] === 1) return true
    if (bytes[0] === 0) return false
    throw new DataError(`BooleanConverter: unexpected byte ${bytes[0]}; it must be 0 or 1`)
  },
})
