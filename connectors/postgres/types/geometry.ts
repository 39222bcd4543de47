import { type Schema, type Struct, withOptions } from 'millrace/connect'
import { Circle, Geography, Geometry, Line, Point } from '../../cdc/index.ts'
import { ascii, type Codec, type Decode } from './codec.ts'

/** Returns a geometry as well-known binary (WKB), little-endian: its type and its coordinates. */
function wkb(type: 1 | 2 | 3, coordinates: readonly number[]): Buffer {
  // A point has no counts, a line string has a count of points, and a polygon has a count of rings
  // and a count of points.
  const heads = type === 1 ? [] : type === 2 ? [coordinates.length / 2] : [1, coordinates.length / 2]
  const out = Buffer.allocUnsafe(5 + heads.length * 4 + coordinates.length * 8)
  out[0] = 1
  out.writeUInt32LE(type, 1)
  heads.forEach((h, i) => {
    out.writeUInt32LE(h, 5 + i * 4)
  })
  const from = 5 + heads.length * 4
  coordinates.forEach((c, i) => {
    out.writeDoubleLE(c, from + i * 8)
  })
  return out
}

/** Returns all numbers in text such as `((2,2),(0,0))`. */
function numbersIn(buf: Buffer, start: number, end: number): number[] {
  const found = ascii(buf, start, end).match(/-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Infinity|NaN)/gi) ?? []
  return found.map(n =>
    /inf/i.test(n) ? (n.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY) : Number(n),
  )
}

const point = (x: number, y: number): Struct => ({ x, y, wkb: wkb(1, [x, y]), srid: null })

function closed(ring: readonly number[]): number[] {
  const [x, y] = ring
  return ring.at(-2) === x && ring.at(-1) === y ? [...ring] : [...ring, x!, y!]
}

const shape = (type: 2 | 3, coordinates: readonly number[], extensions: Record<string, string>): Struct => ({
  wkb: wkb(type, coordinates),
  srid: null,
  extensions,
})

/**
 * Returns a schema as in Debezium: all types except the point are optional, even in NOT NULL
 * columns.
 */
const optional = (schema: Schema): Schema => (schema === Point ? schema : withOptions(schema, { optional: true }))

const codec = (schema: Schema, filler: Struct, decode: (n: number[], first: number) => Struct): Codec => ({
  schema: optional(schema),
  filler,
  unavailable: null,
  isText: false,
  decode: (buf, start, end) => decode(numbersIn(buf, start, end), buf[start]!),
})

function boxRing([x1, y1, x2, y2]: readonly number[]): Struct {
  return shape(3, [x1!, y1!, x1!, y2!, x2!, y2!, x2!, y1!, x1!, y1!], { type: 'box' })
}

/**
 * The codecs of PostgreSQL's geometric types. The fillers are small valid shapes, in case a
 * consumer validates them.
 */
export const GEOMETRIC: Readonly<Record<string, Codec>> = {
  point: codec(Point, point(0, 0), ([x, y]) => point(x!, y!)),
  line: codec(Line, { a: 0, b: 1, c: 0 }, ([a, b, c]) => ({ a, b, c })),
  lseg: codec(Geometry, shape(2, [0, 0, 1, 0], { type: 'lseg' }), n => shape(2, n, { type: 'lseg' })),
  box: codec(Geometry, boxRing([0, 0, 1, 1]), boxRing),
  path: codec(Geometry, shape(2, [0, 0, 1, 0], { type: 'path' }), (n, first) =>
    // the text of an open path starts with a square bracket
    shape(2, n, { type: 'path', closed: String(first !== 0x5b) }),
  ),
  polygon: codec(Geometry, shape(3, [0, 0, 1, 0, 0, 1, 0, 0], { type: 'polygon' }), n =>
    shape(3, closed(n), { type: 'polygon' }),
  ),
  circle: codec(Circle, { center: point(0, 0), radius: 0 }, ([x, y, r]) => ({ center: point(x!, y!), radius: r })),
}

/**
 * Decodes the hexadecimal EWKB that PostGIS prints. EWKB is WKB in which a bit of the type means
 * that a SRID follows.
 */
const ewkb: Decode = (buf, start, end) => {
  const bytes = Buffer.from(ascii(buf, start, end), 'hex')
  const little = bytes[0] === 1
  const type = little ? bytes.readUInt32LE(1) : bytes.readUInt32BE(1)
  const hasSrid = (type & 0x20000000) !== 0
  const srid = hasSrid ? (little ? bytes.readInt32LE(5) : bytes.readInt32BE(5)) : null
  return { wkb: bytes, srid, extensions: null }
}

const EMPTY = { wkb: Buffer.from('010700000000000000', 'hex'), srid: null, extensions: null }
export const POSTGIS: Readonly<Record<string, Codec>> = {
  geometry: { schema: optional(Geometry), decode: ewkb, filler: EMPTY, unavailable: null, isText: false },
  geography: { schema: optional(Geography), decode: ewkb, filler: EMPTY, unavailable: null, isText: false },
}
