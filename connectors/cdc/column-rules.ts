import { createHash, getHashes } from 'node:crypto'
import { compileList, matchesAny, wrongPattern } from './patterns.ts'
import { qualified, type TableName } from './topic-naming.ts'

/** The properties of a column that rules depend on. */
export interface RuleColumn {
  readonly name: string
  /** The database's name of the type, such as `varchar`. */
  readonly typeName: string
  /** The length in characters or digits, or the largest int32 if the length is unlimited. */
  readonly length: number
  readonly scale: number
  /** Whether values are text in the database. Masks apply only to text. */
  readonly isText: boolean
  readonly comment: string | null
}

/** The effect of the rules on a column. */
export interface ColumnRule {
  readonly parameters: Readonly<Record<string, string>>
  /**
   * Changes each value that is not null. Null if no rule changes values. Null values become
   * `maskNull`.
   */
  readonly change: ((value: unknown) => unknown) | null
  readonly maskNull: string | null
  /**
   * The keys of masks and hashes that have no effect on the column, because its values are not
   * text.
   */
  readonly unmasked: readonly string[]
}

const TRUNCATE = /^column\.truncate\.to\.(\d+)\.chars$/
const MASK = /^column\.mask\.with\.(\d+)\.chars$/
const HASH = /^column\.mask\.hash\.(v2\.)?([^.]+)\.with\.salt\.(.+)$/
/** The patterns of keys whose names contain parameters. Such keys cannot be declared one by one. */
export const RULE_KEYS: readonly RegExp[] = [TRUNCATE, MASK, HASH]

const opensslName = (algorithm: string): string => algorithm.toLowerCase().replace(/^sha-(?=\d)/, 'sha')

/**
 * Returns the bytes that java.io.ObjectOutputStream writes for a String. The first version of the
 * hash uses them.
 */
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

/** Returns what is wrong with the key or the value of a column rule, or null if both are valid. */
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
  // The values of other keys, such as those of transformations, are not regular expressions.
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

/**
 * The configured rules that change columns: truncation, masks, hashes, and propagation of the
 * source's types.
 */
export class ColumnRules {
  readonly #rules: readonly Rule[]

  constructor(props: Readonly<Record<string, string>>, database: string) {
    this.#rules = Object.entries(props).flatMap(([key, value]) => ruleOf(key, value, database) ?? [])
  }

  /**
   * Returns the effect of all rules that match the column, in the order of the configuration.
   * Returns null if no rule matches.
   */
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
