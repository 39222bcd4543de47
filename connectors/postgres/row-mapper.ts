import type { Struct } from 'millrace/connect'
import type { Decode } from './types/codec.ts'

/** Special values of `starts[i]`: the value is NULL, or the server did not send the value. */
export const NULL = -1
export const UNAVAILABLE = -2

/** How one field of a row is read. */
export interface FieldReader {
  readonly name: string
  /** The index of the column in the tuple. */
  readonly index: number
  readonly decode: Decode
  readonly whenNull: unknown
  readonly whenUnavailable: unknown
}

/** Returns the row of a tuple whose values are in `buf` from `starts[i]` to `ends[i]`. */
export type RowMapper = (buf: Buffer, starts: Int32Array, ends: Int32Array) => Struct

/**
 * Returns a mapper that is compiled to one object literal with all fields. All rows of a table
 * therefore share one hidden class, and a row needs no loop and no look-up by name. Names are
 * inserted as JSON strings, so that no name is executed as code.
 */
export function compileMapper(fields: readonly FieldReader[]): RowMapper {
  const params = fields.flatMap((_, i) => [`d${i}`, `n${i}`, `u${i}`])
  const entries = fields.map((f, i) => {
    const name = JSON.stringify(f.name).replace(/[\u2028\u2029]/g, c => `\\u${c.charCodeAt(0).toString(16)}`)
    // in an object literal, only a computed key makes __proto__ an ordinary property
    const key = f.name === '__proto__' ? `[${name}]` : name
    return `${key}:(p=s[${f.index}])>=0?d${i}(b,p,e[${f.index}]):p===${NULL}?n${i}:u${i}`
  })
  const source = `return function(b,s,e){let p;return{${entries.join(',')}}}`
  const make = new Function(...params, source) as (...args: unknown[]) => RowMapper
  return make(...fields.flatMap(f => [f.decode, f.whenNull, f.whenUnavailable]))
}

/**
 * The start and the end of each value of a tuple. One object is reused for all tuples, and grows
 * with the widest table.
 */
export class ValueBounds {
  starts = new Int32Array(64)
  ends = new Int32Array(64)

  ensure(columns: number): void {
    if (columns <= this.starts.length) return
    this.starts = new Int32Array(columns * 2)
    this.ends = new Int32Array(columns * 2)
  }
}
