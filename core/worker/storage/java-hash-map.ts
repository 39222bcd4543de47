import { bucketsAfterPuts } from '../../common/java-hash-map.ts'

/**
 * The constants of Java's serialization format that a `HashMap<byte[], byte[]>` needs. Connect's
 * FileOffsetBackingStore writes its file in this format. See Java Object Serialization
 * Specification, version 5, chapter 6.
 */
const MAGIC = 0xaced0005
const TC_NULL = 0x70
const TC_REFERENCE = 0x71
const TC_CLASSDESC = 0x72
const TC_OBJECT = 0x73
const TC_ARRAY = 0x75
const TC_BLOCKDATA = 0x77
const TC_ENDBLOCKDATA = 0x78
const BASE_HANDLE = 0x7e0000
const HASH_MAP_UID = 0x0507dac1c31660d1n
const BYTE_ARRAY_UID = 0xacf317f8060854e0n
const LOAD_FACTOR = 0.75

export type ByteEntry = readonly [key: Buffer | null, value: Buffer | null]

class Writer {
  readonly #parts: Buffer[] = []

  u8(...values: number[]): void {
    this.#parts.push(Buffer.from(values))
  }

  u16(value: number): void {
    const part = Buffer.alloc(2)
    part.writeUInt16BE(value)
    this.#parts.push(part)
  }

  i32(value: number): void {
    const part = Buffer.alloc(4)
    part.writeInt32BE(value | 0)
    this.#parts.push(part)
  }

  f32(value: number): void {
    const part = Buffer.alloc(4)
    part.writeFloatBE(value)
    this.#parts.push(part)
  }

  u64(value: bigint): void {
    const part = Buffer.alloc(8)
    part.writeBigUInt64BE(value)
    this.#parts.push(part)
  }

  utf(text: string): void {
    this.u16(Buffer.byteLength(text))
    this.#parts.push(Buffer.from(text))
  }

  bytes(value: Buffer): void {
    this.#parts.push(value)
  }

  done(): Buffer {
    return Buffer.concat(this.#parts)
  }
}

/**
 * Returns the bytes that `ObjectOutputStream.writeObject(new HashMap<byte[], byte[]>(...))` writes.
 */
export function writeHashMap(entries: readonly ByteEntry[]): Buffer {
  const out = new Writer()
  const buckets = bucketsAfterPuts(entries.length)
  out.i32(MAGIC)
  out.u8(TC_OBJECT, TC_CLASSDESC)
  out.utf('java.util.HashMap')
  out.u64(HASH_MAP_UID)
  out.u8(0x03)
  out.u16(2)
  out.u8(0x46)
  out.utf('loadFactor')
  out.u8(0x49)
  out.utf('threshold')
  out.u8(TC_ENDBLOCKDATA, TC_NULL)
  out.f32(LOAD_FACTOR)
  out.i32(entries.length === 0 ? 0 : buckets * LOAD_FACTOR)
  out.u8(TC_BLOCKDATA, 8)
  out.i32(buckets)
  out.i32(entries.length)
  let described = false
  const array = (value: Buffer | null) => {
    if (value === null) return out.u8(TC_NULL)
    out.u8(TC_ARRAY)
    if (described) {
      out.u8(TC_REFERENCE)
      out.i32(BASE_HANDLE + 2)
    } else {
      out.u8(TC_CLASSDESC)
      out.utf('[B')
      out.u64(BYTE_ARRAY_UID)
      out.u8(0x02)
      out.u16(0)
      out.u8(TC_ENDBLOCKDATA, TC_NULL)
      described = true
    }
    out.i32(value.length)
    out.bytes(value)
  }
  for (const [key, value] of entries) {
    array(key)
    array(value)
  }
  out.u8(TC_ENDBLOCKDATA)
  return out.done()
}

/** The description of a class in the serialized stream. */
class ClassDesc {
  readonly name: string
  /** The total size of the class's primitive fields, in bytes. */
  fieldBytes = 0

  constructor(name: string) {
    this.name = name
  }
}

/**
 * Reads the serialized stream and checks every length. Throws an Error that names the problem and
 * the position.
 */
class Reader {
  readonly #bytes: Buffer
  #at = 0
  /** The objects that were read, by handle. A TC_REFERENCE refers to one of them. */
  readonly handles: unknown[] = []

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  take(length: number): Buffer {
    if (length < 0 || this.#at + length > this.#bytes.length) throw this.fail(`${length} bytes are missing`)
    const part = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return part
  }

  fail(what: string): Error {
    return new Error(`it is not a serialized HashMap<byte[], byte[]>: ${what} at byte ${this.#at}`)
  }

  u8 = (): number => this.take(1).readUInt8()
  u16 = (): number => this.take(2).readUInt16BE()
  i32 = (): number => this.take(4).readInt32BE()
  utf = (): string => this.take(this.u16()).toString('utf8')

  expect(byte: number, what: string): void {
    const found = this.u8()
    if (found !== byte) throw this.fail(`${what} expected, found 0x${found.toString(16)}`)
  }

  reference(): unknown {
    const index = this.i32() - BASE_HANDLE
    if (index < 0 || index >= this.handles.length) throw this.fail('a reference to an unknown object')
    return this.handles[index]
  }

  classDesc(): ClassDesc {
    const tag = this.u8()
    if (tag === TC_REFERENCE) {
      const known = this.reference()
      if (!(known instanceof ClassDesc)) throw this.fail('a reference to an object that is not a class')
      return known
    }
    if (tag !== TC_CLASSDESC) throw this.fail(`a class expected, found 0x${tag.toString(16)}`)
    const desc = new ClassDesc(this.utf())
    this.take(8)
    this.handles.push(desc)
    this.u8()
    const sizes: Record<string, number> = { B: 1, Z: 1, C: 2, S: 2, I: 4, F: 4, J: 8, D: 8 }
    for (let fields = this.u16(); fields > 0; fields--) {
      const size = sizes[String.fromCharCode(this.u8())]
      if (size === undefined) throw this.fail(`class ${desc.name} has object fields`)
      this.utf()
      desc.fieldBytes += size
    }
    this.expect(TC_ENDBLOCKDATA, 'the end of a class')
    this.expect(TC_NULL, 'a class without superclass')
    return desc
  }

  byteArray(): Buffer | null {
    const tag = this.u8()
    if (tag === TC_NULL) return null
    if (tag === TC_REFERENCE) {
      const value = this.reference()
      if (!Buffer.isBuffer(value)) throw this.fail('a reference to an object that is not a byte array')
      return value
    }
    if (tag !== TC_ARRAY) throw this.fail(`a byte array expected, found 0x${tag.toString(16)}`)
    const desc = this.classDesc()
    if (desc.name !== '[B') throw this.fail(`a byte array expected, found ${desc.name}`)
    const slot = this.handles.push(null) - 1
    const value = this.take(this.i32())
    this.handles[slot] = value
    return value
  }
}

/**
 * Returns the entries of a map that `writeHashMap` or Java serialized. Throws an Error that names
 * the problem and the position.
 */
export function readHashMap(bytes: Buffer): ByteEntry[] {
  const input = new Reader(bytes)
  if (input.i32() !== (MAGIC | 0)) throw input.fail('the magic number is missing')
  input.expect(TC_OBJECT, 'an object')
  const desc = input.classDesc()
  if (desc.name !== 'java.util.HashMap') throw input.fail(`class ${desc.name} found`)
  input.handles.push(null)
  input.take(desc.fieldBytes)
  input.expect(TC_BLOCKDATA, 'the size of the map')
  input.expect(8, 'the size of the map')
  input.i32()
  const size = input.i32()
  const entries: ByteEntry[] = []
  for (let i = 0; i < size; i++) entries.push([input.byteArray(), input.byteArray()])
  input.expect(TC_ENDBLOCKDATA, 'the end of the map')
  return entries
}
