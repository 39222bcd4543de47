/**
 * A node of a parsed Java pattern. Character sets have the syntax of JavaScript with the flag `v`.
 */
export type Node =
  | { readonly kind: 'set'; readonly source: string }
  | { readonly kind: 'sequence'; readonly items: readonly Node[] }
  | { readonly kind: 'alternatives'; readonly items: readonly Node[] }
  | { readonly kind: 'group'; readonly index: number; readonly body: Node }
  | {
      readonly kind: 'repeat'
      readonly body: Node
      readonly min: number
      readonly max: number
      readonly mode: 'greedy' | 'lazy'
    }
  | { readonly kind: 'atomic'; readonly body: Node }
  | { readonly kind: 'look'; readonly ahead: boolean; readonly negative: boolean; readonly body: Node }
  | { readonly kind: 'backreference'; readonly group: number; readonly ignoreCase: boolean }
  | { readonly kind: 'assertion'; readonly source: string }

const LONG = 2 ** 31 - 1

export const EMPTY: Node = { kind: 'sequence', items: [] }

/** Returns the minimum and maximum number of characters that a node matches. */
export function widthOf(node: Node): { min: number; max: number } {
  switch (node.kind) {
    case 'set':
      return { min: 1, max: 1 }
    case 'assertion':
    case 'look':
      return { min: 0, max: 0 }
    case 'backreference':
      return { min: 0, max: Number.POSITIVE_INFINITY }
    case 'group':
    case 'atomic':
      return widthOf(node.body)
    case 'repeat': {
      const { min, max } = widthOf(node.body)
      // Java treats the length of `a*` as finite, so a lookbehind may contain it.
      if (node.body.kind === 'set') return { min: node.min, max: Math.min(node.max, LONG) }
      return { min: min * node.min, max: max === 0 || node.max === 0 ? 0 : max * node.max }
    }
    case 'sequence':
      return node.items.map(widthOf).reduce((a, b) => ({ min: a.min + b.min, max: a.max + b.max }), { min: 0, max: 0 })
    case 'alternatives': {
      const all = node.items.map(widthOf)
      return { min: Math.min(...all.map(w => w.min)), max: Math.max(...all.map(w => w.max)) }
    }
  }
}

/** Returns the numbers of the capturing groups in a node. */
export function groupsIn(node: Node): number[] {
  switch (node.kind) {
    case 'group':
      return [node.index, ...groupsIn(node.body)]
    case 'atomic':
    case 'look':
    case 'repeat':
      return groupsIn(node.body)
    case 'sequence':
    case 'alternatives':
      return node.items.flatMap(groupsIn)
    default:
      return []
  }
}
