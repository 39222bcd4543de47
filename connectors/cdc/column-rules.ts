import { createHash, getHashes } from 'node:crypto'
import { compileList, matchesAny, wrongPattern } from './patterns.ts'
import { qualified, type TableName } from './topic-naming.ts'

/** What the rules must know of a column. */
export interface RuleColumn {
  readonly name: string
  /** As the database names it, such as `varchar`. */
  readonly typeName: string
  /** In characters or digits; the largest int32 where unlimited. */
  readonly length: number
  readonly scale: number
  /** Whether values are text to the database (masks apply to no other). */
  readonly isText: boolean
  readonly comment: string | null
}

/** What the rules make of a column. */
export interface ColumnRule {
  readonly parameters: Readonly<Record<string, string>>
  /** Changes each value that is not null; null where values stay. Masks change null too: `maskNull`. */
  readonly change: ((value: unknown) => unknown) | null
  readonly maskNull: string | null
  /** The keys that were meant to hide the column's values and cannot, since they are no text to the database. */
  readonly unmasked: readonly string[]
}

const TRUNCATE = /^column\.truncate\.to\.(\d+)\.chars$/
const MASK = /^column\.mask\.with\.(\d+)\.chars$/
const HASH = /^column\.mask\.hash\.(v2\.)?([^.]+)\.with\.salt\.(.+)$/
/** Keys whose names hold parameters, which a declaration cannot list. */
export const RULE_KEYS: readonly RegExp[] = [TRUNCATE, MASK, HASH]

const opensslName = (algorithm: string): string => algorithm.toLowerCase().replace(/^sha-(?=\d)/, 'sha')

/** The stream that java.io.ObjectOutputStream writes for a String: what the first version of the hash was taken over. */
function javaSerialized(text: string): Buffer {
  const parts: number[] = []
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c >= 1 && c <= 0x7f) parts.push(c)
    else if (c <= 0x7ff) parts.push(0xc0 | (c >> 6), 0x80 | (c & 0x3f))
    else parts.push(0xe0 | (c >> 12), 0x80 | ((c >> 6) & 0x3f), 0x80 | (c & 0x3f))
  }
  const head = Buffer.alloc(parts.length > 0xffff ? 13 : 7)
  head.writeUInt32BE(0xaced0005, 0)
  if (parts.length > 0xffff) {
    head[4] = 0x7c
    head.writeBigUInt64BE(BigInt(parts.length), 5)
  } else {
    head[4] = 0x74
    head.writeUInt16BE(parts.length, 5)
  }
  return Buffer.concat([head, Buffer.from(parts)])
}

function truncate(limit: number): (value: unknown) => unknown {
  return value => {
    if (typeof value === 'string') return value.length > limit ? value.slice(0, limit) : value
    if (Buffer.isBuffer(value)) return value.length > limit ? Buffer.from(value.subarray(0, limit)) : value
    return value
  }
}

function hash(algorithm: string, salt: string, v2: boolean, column: RuleColumn): (value: unknown) => unknown {
  const cut = column.length > 0 ? truncate(column.length) : (v: unknown) => v
  return value => {
    const text = String(value)
    const bytes = v2 ? Buffer.from(text) : javaSerialized(text)
    return cut(createHash(opensslName(algorithm)).update(salt).update(bytes).digest('hex'))
  }
}

/** What is wrong with such a key and its value, or null. */
export function wrongRule(key: string, value: string): string | null {
  const m = HASH.exec(key)
  if (m && !getHashes().includes(opensslName(m[2]!))) return `${m[2]} is not a known hash algorithm`
  return wrongPattern(value)
}

interface Rule {
  readonly key: string
  readonly hides: boolean
  readonly matches: (id: string, column: RuleColumn) => boolean
  readonly parameters: (column: RuleColumn) => Record<string, string>
  readonly change: (column: RuleColumn) => ((value: unknown) => unknown) | null
  readonly maskNull: string | null
}

function sourceType(column: RuleColumn): Record<string, string> {
  return {
    '__debezium.source.column.type': column.typeName.toUpperCase(),
    '__debezium.source.column.length': String(column.length),
    '__debezium.source.column.scale': String(column.scale),
    ...(column.comment ? { '__debezium.source.column.comment': column.comment } : {}),
    '__debezium.source.column.name': column.name,
  }
}

function ruleOf(key: string, value: string, database: string): Rule | null {
  // values of other keys, such as those of transformations, are no expressions
  const isRule = RULE_KEYS.some(rule => rule.test(key)) || /^(column|datatype)\.propagate\.source\.type$/.test(key)
  const list = isRule ? compileList(value) : null
  if (!list) return null
  const onName = (id: string) => matchesAny(list, id)
  const none = () => null
  let m: RegExpExecArray | null
  if ((m = TRUNCATE.exec(key))) {
    const limit = Number(m[1])
    const applies = (c: RuleColumn) => c.length < 0 || c.length > limit
    return {
      key,
      hides: false,
      matches: onName,
      parameters: (c): Record<string, string> => (applies(c) ? { truncateLength: String(limit) } : {}),
      change: c => (applies(c) ? truncate(limit) : null),
      maskNull: null,
    }
  }
  if ((m = MASK.exec(key))) {
    const mask = '*'.repeat(Number(m[1]))
    const change = (c: RuleColumn) => (c.isText ? () => mask : null)
    return { key, hides: true, matches: onName, parameters: () => ({ masked: 'true' }), change, maskNull: mask }
  }
  if ((m = HASH.exec(key))) {
    const [, v2, algorithm, salt] = m as unknown as [string, string | undefined, string, string]
    const change = (c: RuleColumn) => (c.isText ? hash(algorithm, salt, v2 !== undefined, c) : null)
    return { key, hides: true, matches: onName, parameters: () => ({ masked: 'true' }), change, maskNull: null }
  }
  if (key === 'column.propagate.source.type')
    return { key, hides: false, matches: onName, parameters: sourceType, change: none, maskNull: null }
  if (key === 'datatype.propagate.source.type') {
    const matches = (id: string, c: RuleColumn) =>
      matchesAny(list, `${id.slice(0, id.length - c.name.length - 1)}.${c.typeName}`) ||
      matchesAny(list, `${database}.${c.typeName}`)
    return { key, hides: false, matches, parameters: sourceType, change: none, maskNull: null }
  }
  return null
}

/** The keys that change columns: truncation, masks, hashes, propagation of the source's types. */
export class ColumnRules {
  readonly #rules: readonly Rule[]

  constructor(props: Readonly<Record<string, string>>, database: string) {
    this.#rules = Object.entries(props).flatMap(([key, value]) => ruleOf(key, value, database) ?? [])
  }

  /** Null where no rule applies. All that apply do, in the order of the configuration. */
  forColumn(table: TableName, column: RuleColumn): ColumnRule | null {
    if (this.#rules.length === 0) return null
    const id = `${qualified(table)}.${column.name}`
    const rules = this.#rules.filter(r => r.matches(id, column))
    if (rules.length === 0) return null
    const changes = rules.flatMap(r => r.change(column) ?? [])
    return {
      parameters: Object.assign({}, ...rules.map(r => r.parameters(column))) as Record<string, string>,
      change: changes.length === 0 ? null : value => changes.reduce((v, change) => change(v), value),
      unmasked: column.isText ? [] : rules.filter(r => r.hides).map(r => r.key),
      maskNull: column.isText ? (rules.find(r => r.maskNull !== null)?.maskNull ?? null) : null,
    }
  }
}
