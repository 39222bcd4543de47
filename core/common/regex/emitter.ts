import { groupsIn, type Node, widthOf } from './ast.ts'
import { PatternError } from './pattern-error.ts'

export interface Emitted {
  /** The pattern in JavaScript syntax, for the flag `v`. */
  readonly source: string
  /** The JavaScript group number of each Java group. */
  readonly indexes: ReadonlyMap<number, number>
  /** The groups whose text can differ from Java's. */
  readonly unreliable: ReadonlySet<number>
}

/**
 * Renders a parsed pattern in JavaScript syntax. Throws a PatternError if there is no equivalent.
 */
export function emitPattern(root: Node, groups: number): Emitted {
  const emitter = new Emitter(groups)
  const source = emitter.emit(root, false)
  return { source, indexes: emitter.indexes, unreliable: emitter.unreliable }
}

class Emitter {
  readonly indexes = new Map<number, number>()
  readonly unreliable = new Set<number>()
  readonly #groups: number
  #next = 1
  /** The groups that are certain to have matched when the current position is reached. */
  #matched = new Set<number>()

  constructor(groups: number) {
    this.#groups = groups
  }

  emit(node: Node, behind: boolean): string {
    switch (node.kind) {
      case 'set':
        return node.source
      case 'assertion':
        return `(?:${node.source})`
      case 'sequence':
        return `(?:${node.items.map(item => this.emit(item, behind)).join('')})`
      case 'alternatives':
        return this.#alternatives(node.items, behind)
      case 'group':
        return this.#group(node.index, node.body, behind)
      case 'repeat':
        return this.#repeat(node, behind)
      case 'atomic':
        return this.#atomic(node.body, behind)
      case 'look':
        return this.#look(node)
      case 'backreference':
        return this.#backreference(node.group, node.ignoreCase, behind)
    }
  }

  #alternatives(items: readonly Node[], behind: boolean): string {
    const before = this.#matched
    const after: Set<number>[] = []
    const sources = items.map(item => {
      this.#matched = new Set(before)
      const source = this.emit(item, behind)
      after.push(this.#matched)
      return source
    })
    this.#matched = new Set([...after[0]!].filter(g => after.every(set => set.has(g))))
    return `(?:${sources.join('|')})`
  }

  #group(index: number, body: Node, behind: boolean): string {
    this.indexes.set(index, this.#next++)
    const source = this.emit(body, behind)
    this.#matched.add(index)
    if (behind) {
      const { min, max } = widthOf(body)
      if (min !== max) this.unreliable.add(index)
    }
    return `(${source})`
  }

  #repeat(node: Node & { kind: 'repeat' }, behind: boolean): string {
    const { body, min, max, mode } = node
    const before = new Set(this.#matched)
    const source = this.emit(body, behind)
    if (max > 1 || widthOf(body).min === 0) {
      const nullable = widthOf(body).min === 0
      for (const g of groupsIn(body)) if (nullable || !this.#matched.has(g)) this.unreliable.add(g)
    }
    if (min === 0) this.#matched = before
    const count =
      min === 0 && max === Number.POSITIVE_INFINITY
        ? '*'
        : min === 1 && max === Number.POSITIVE_INFINITY
          ? '+'
          : min === 0 && max === 1
            ? '?'
            : `{${min},${max === Number.POSITIVE_INFINITY ? '' : max}}`
    return `(?:${source})${count}${mode === 'lazy' ? '?' : ''}`
  }

  /**
   * Emits an atomic group as `(?=(...))\1`. The lookahead never backtracks into its content, but
   * consumes no text. So it captures the text, and the back reference consumes the captured text.
   */
  #atomic(body: Node, behind: boolean): string {
    if (behind) throw PatternError.unsupported('an atomic group or possessive quantifier in a look-behind')
    const index = this.#next++
    return `(?:(?=(${this.emit(body, behind)}))\\${index})`
  }

  #look(node: Node & { kind: 'look' }): string {
    const before = new Set(this.#matched)
    const source = this.emit(node.body, !node.ahead)
    if (node.negative) this.#matched = before
    return `(?${node.ahead ? '' : '<'}${node.negative ? '!' : '='}${source})`
  }

  #backreference(group: number, ignoreCase: boolean, behind: boolean): string {
    // In Java, a reference to a missing group never matches.
    if (group > this.#groups) return '(?!)'
    if (ignoreCase) throw PatternError.unsupported('a back reference that ignores case')
    if (behind) throw PatternError.unsupported('a back reference in a look-behind')
    if (!this.#matched.has(group) || this.unreliable.has(group)) {
      throw PatternError.unsupported(`a back reference (\\${group}) to a group that may not have matched`)
    }
    return `(?:\\${this.indexes.get(group)})`
  }
}
