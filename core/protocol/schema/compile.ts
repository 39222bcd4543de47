import { unrepresentable } from '../errors.ts'
import { ZERO_UUID } from '../uuid.ts'
import type { MessageDeclaration } from './declare.ts'
import { type FieldLayout, type Layout, layoutOf, minSize } from './layout.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** The compiled codec for one version of a message. */
export interface Codec {
  read(reader: Reader): unknown
  write(writer: Writer, value: unknown): void
}

const EMPTY = Buffer.alloc(0)

/**
 * Generates and compiles JavaScript that reads and writes one version of a message. The generated
 * code contains only names and numbers from the declaration, never data of a message.
 */
export function compile(declaration: MessageDeclaration, version: number): Codec {
  const structs: Layout[] = []
  const root = layoutOf(declaration, version, structs)
  // A broker sets all fields of a response, and the version determines which fields are sent. In
  // requests and records, however, a dropped value would be lost.
  const strict = declaration.type !== 'response'
  const source = [
    '"use strict"',
    ...structs.flatMap(s => [defaultsSource(s), isDefaultSource(s), readSource(s), writeSource(s, strict)]),
    `return { read: read${root.id}, write: write${root.id} }`,
  ].join('\n')
  return new Function('EMPTY', 'refuseNull', 'refuseVersion', source)(
    EMPTY,
    (path: string) => {
      throw unrepresentable(path, `version ${version} does not allow null`)
    },
    (path: string) => {
      throw unrepresentable(path, `version ${version} does not have this field, and its value would be lost`)
    },
  ) as Codec
}

/** Returns the source of an expression for the default of a field. */
function defaultOf(field: FieldLayout): string {
  if (field.defaultValue !== undefined) return JSON.stringify(field.defaultValue)
  switch (field.kind) {
    case 'bool':
      return 'false'
    case 'string':
      return '""'
    case 'uuid':
      return JSON.stringify(ZERO_UUID)
    case 'bytes':
    case 'records':
      return 'EMPTY'
    case 'array':
      return '[]'
    case 'struct':
      return `default${field.struct!.id}()`
    default:
      return '0'
  }
}

/**
 * Returns the source of a condition that is true if `value` is the default of the field. `value`
 * must not be undefined.
 */
function isDefaultOf(field: FieldLayout, value: string): string {
  if (field.defaultValue === null) return `${value} === null`
  switch (field.kind) {
    case 'bytes':
    case 'records':
    case 'array':
      return `${value} !== null && ${value}.length === 0`
    case 'struct':
      return `${value} !== null && isDefault${field.struct!.id}(${value})`
    default:
      return `${value} === ${defaultOf(field)}`
  }
}

function defaultsSource({ id, fields }: Layout): string {
  return `function default${id}() { return { ${fields.map(f => `${key(f)}: ${defaultOf(f)}`).join(', ')} } }`
}

function isDefaultSource({ id, fields }: Layout): string {
  const each = fields.map(f => `(v.${f.name} === undefined || (${isDefaultOf(f, `v.${f.name}`)}))`)
  return `function isDefault${id}(v) { return ${each.join(' && ') || 'true'} }`
}

function key(field: FieldLayout): string {
  return JSON.stringify(field.name)
}

/** Returns the name of the Reader and Writer method for a kind of field. */
function method(kind: string, flexible: boolean, nullable: boolean): string {
  const base = kind === 'records' ? 'bytes' : kind
  if (base !== 'string' && base !== 'bytes' && base !== 'array') return base
  const name = flexible ? `compact${base[0]!.toUpperCase()}${base.slice(1)}` : base
  return nullable ? `${name}OrNull` : name
}

function readSource(layout: Layout): string {
  const { id, fields, flexible } = layout
  const lines: string[] = []
  const tagged: string[] = []
  fields.forEach((field, i) => {
    if (!field.present) lines.push(`const f${i} = ${defaultOf(field)}`)
    else if (field.tag < 0) lines.push(`let f${i}`, readField(field, `f${i}`, flexible))
    else {
      lines.push(`let f${i} = ${defaultOf(field)}`)
      tagged.push(`case ${field.tag}: ${readField(field, `f${i}`, flexible)}; r.tagEnds(start, size); break`)
    }
  })
  if (flexible)
    lines.push(`for (let n = r.uvarint(); n > 0; n--) {
      const tag = r.uvarint(), size = r.uvarint(), start = r.pos
      switch (tag) { ${tagged.join('\n')}
        default: r.take(size) }
    }`)
  return `function read${id}(r) { ${lines.join('\n')}
    return { ${fields.map((f, i) => `${key(f)}: f${i}`).join(', ')} } }`
}

function readField(field: FieldLayout, into: string, flexible: boolean): string {
  const { kind, struct, nullable } = field
  if (kind === 'struct')
    return nullable ? `${into} = r.structPresent() ? read${struct!.id}(r) : null` : `${into} = read${struct!.id}(r)`
  if (kind !== 'array') return `${into} = r.${method(kind, flexible, nullable)}()`
  const element = struct ? `read${struct.id}(r)` : `r.${method(field.element!, flexible, false)}()`
  const minimum = Math.max(1, struct ? struct.minSize : minSize(field.element!, flexible))
  const fill = `{ const a = []; for (let i = 0; i < n; i++) a.push(${element}); ${into} = a }`
  return `{ const n = r.${method('array', flexible, nullable)}(${minimum}); ${nullable ? `if (n < 0) ${into} = null; else ${fill}` : fill} }`
}

function writeSource(layout: Layout, strict: boolean): string {
  const { id, fields, flexible } = layout
  const lines: string[] = []
  for (const field of fields) {
    const value = `v.${field.name}`
    if (field.present && field.tag < 0)
      lines.push(
        `{ const x = ${value} === undefined ? ${defaultOf(field)} : ${value}; ${writeField(field, flexible)} }`,
      )
    else if (!field.present && strict && !field.ignorable)
      lines.push(`if (${value} !== undefined && !(${isDefaultOf(field, value)})) refuseVersion('${field.path}')`)
  }
  if (flexible) lines.push(...writeTagged(fields))
  return `function write${id}(w, v) { ${lines.join('\n')} }`
}

function writeTagged(fields: readonly FieldLayout[]): string[] {
  const tagged = fields.filter(f => f.tag >= 0).sort((a, b) => a.tag - b.tag)
  if (tagged.length === 0) return ['w.uvarint(0)']
  const lines = ['let count = 0']
  for (const f of tagged) {
    const value = `v.${f.name}`
    lines.push(`const has${f.tag} = ${value} !== undefined && !(${isDefaultOf(f, value)}); if (has${f.tag}) count++`)
  }
  lines.push('w.uvarint(count)')
  for (const f of tagged)
    lines.push(
      `if (has${f.tag}) { const x = v.${f.name}; const start = w.beginTag(${f.tag}); ${writeField(f, true)}; w.endTag(start) }`,
    )
  return lines
}

/** Returns the source that writes `x`, the value of the field. */
function writeField(field: FieldLayout, flexible: boolean): string {
  const { kind, struct, nullable, path } = field
  const refuse = nullable ? '' : `if (x === null) refuseNull('${path}'); `
  if (kind === 'struct')
    return nullable
      ? `if (x === null) w.structPresent(false); else { w.structPresent(true); write${struct!.id}(w, x) }`
      : `${refuse}write${struct!.id}(w, x)`
  if (kind !== 'array') return `${refuse}w.${method(kind, flexible, nullable)}(x, '${path}')`
  const length = method('array', flexible, false)
  const element = struct
    ? `write${struct.id}(w, x[i])`
    : `w.${method(field.element!, flexible, false)}(x[i], '${path}')`
  const fill = `{ w.${length}(x.length); for (let i = 0; i < x.length; i++) ${element} }`
  return nullable ? `if (x === null) w.${length}(-1); else ${fill}` : `${refuse}${fill}`
}
