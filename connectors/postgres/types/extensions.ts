import { array, map, primitive, type Schema, struct } from 'millrace/connect'
import { Json } from '../../cdc/index.ts'
import { ascii, type Codec, type Decode, utf8 } from './codec.ts'

/** Returns the pairs of an hstore, such as `"a"=>"1", "b"=>NULL`. */
export function parseHstore(text: string): Map<string, string | null> {
  const out = new Map<string, string | null>()
  const pair = /\s*"((?:[^"\\]|\\.)*)"\s*=>\s*(?:"((?:[^"\\]|\\.)*)"|NULL)\s*,?/gy
  const plain = (s: string) => s.replace(/\\(.)/gs, '$1')
  let m: RegExpExecArray | null
  while ((m = pair.exec(text))) out.set(plain(m[1]!), m[2] === undefined ? null : plain(m[2]))
  return out
}

export function hstoreCodec(mode: 'json' | 'map', placeholder: string): Codec {
  if (mode === 'map') {
    const schema = map(primitive('string'), primitive('string', { optional: true }))
    const decode: Decode = (buf, start, end) => parseHstore(buf.toString('utf8', start, end))
    return { schema, decode, filler: new Map(), unavailable: new Map([[placeholder, placeholder]]), isText: false }
  }
  // the JSON is written directly, because an object would move keys that look like numbers to the
  // front
  const json = (pairs: Map<string, string | null>) =>
    `{${[...pairs].map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join(',')}}`
  return {
    schema: Json,
    decode: (buf, start, end) => json(parseHstore(buf.toString('utf8', start, end))),
    filler: '{}',
    unavailable: json(new Map([[placeholder, placeholder]])),
    isText: false,
  }
}

/** Decodes a vector such as `[1,2.5]`. */
const vector: Decode = (buf, start, end) => {
  const inner = ascii(buf, start + 1, end - 1)
  return inner === '' ? [] : inner.split(',').map(Number)
}

/**
 * Decodes a sparse vector such as `{1:0.5,3:2}/5`: the values by index, and the number of
 * dimensions.
 */
const sparse: Decode = (buf, start, end) => {
  const m = /^\{(.*)\}\/(\d+)$/.exec(ascii(buf, start, end))
  if (!m) throw new SyntaxError('not a sparse vector')
  const pairs = m[1] === '' ? [] : m[1]!.split(',').map(p => p.split(':').map(Number) as [number, number])
  return { dimensions: Number(m[2]), vector: new Map(pairs) }
}

const named = (schema: Schema, decode: Decode, filler: unknown): Codec => ({
  schema,
  decode,
  filler,
  unavailable: null,
  isText: false,
})

const semantic = (name: string) => ({ name: `io.debezium.data.${name}`, version: 1 })

/** The codecs of pgvector's types, by name. */
export const VECTORS: Readonly<Record<string, Codec>> = {
  vector: named(array(primitive('double'), semantic('DoubleVector')), vector, []),
  halfvec: named(array(primitive('float'), semantic('FloatVector')), vector, []),
  sparsevec: named(
    struct(
      { dimensions: primitive('int16'), vector: map(primitive('int16'), primitive('double')) },
      { ...semantic('SparseDoubleVector'), doc: 'Sparse double vector' },
    ),
    sparse,
    { dimensions: 0, vector: new Map() },
  ),
}

/** Returns a codec for a type that is represented as text. */
export const textual = (schema: Schema, placeholder: string): Codec => ({
  schema,
  decode: utf8,
  filler: '',
  unavailable: placeholder,
  isText: false,
})
