/** The number of bits of a key's hash per level of the tree. */
const BITS = 4
const WIDTH = 1 << BITS
const MASK = WIDTH - 1

/** An entry of the map. `next` links entries whose keys have the same hash. */
class Leaf<V> {
  readonly hash: number
  readonly key: string
  readonly value: V
  readonly next: Leaf<V> | null

  constructor(hash: number, key: string, value: V, next: Leaf<V> | null) {
    this.hash = hash
    this.key = key
    this.value = value
    this.next = next
  }
}

/** An inner node of the tree. Only the draft that created the node (its owner) may change it. */
class Node<V> {
  readonly owner: object
  readonly slots: (Node<V> | Leaf<V> | null)[]

  constructor(owner: object, slots: (Node<V> | Leaf<V> | null)[]) {
    this.owner = owner
    this.slots = slots
  }
}

const emptySlots = () => new Array<null>(WIDTH).fill(null)

/** Returns the FNV-1a hash of a key, with its bits mixed. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  // The upper levels of the tree use the low bits, so mix the high bits into them.
  return (hash ^ (hash >>> 15)) >>> 0
}

function find<V>(leaf: Leaf<V> | null, key: string): Leaf<V> | null {
  let at = leaf
  while (at !== null && at.key !== key) at = at.next
  return at
}

/**
 * An immutable map with string keys (a hash array mapped trie). A changed map shares all unchanged
 * parts with the previous map. A change therefore costs about the same in a map of ten entries and
 * of a hundred thousand entries. Entries are in the order of their hashes.
 */
export class PersistentMap<V> implements ReadonlyMap<string, V> {
  static readonly #empty = new PersistentMap<never>(new Node({}, emptySlots()), 0)
  readonly #root: Node<V>
  readonly size: number

  /** Callers use `empty`, `from` or a draft's `result` instead. */
  constructor(root: Node<V>, size: number) {
    this.#root = root
    this.size = size
  }

  static empty<V>(): PersistentMap<V> {
    return PersistentMap.#empty
  }

  static from<V>(entries: ReadonlyMap<string, V>): PersistentMap<V> {
    if (entries instanceof PersistentMap) return entries
    const draft = PersistentMap.empty<V>().draft()
    for (const [key, value] of entries) draft.set(key, value)
    return draft.result()
  }

  get(key: string): V | undefined {
    return this.#leaf(key)?.value
  }

  has(key: string): boolean {
    return this.#leaf(key) !== null
  }

  #leaf(key: string): Leaf<V> | null {
    const hash = hashOf(key)
    let at: Node<V> | Leaf<V> | null = this.#root
    for (let shift = 0; at instanceof Node; shift += BITS) at = at.slots[(hash >>> shift) & MASK]!
    return find(at, key)
  }

  /** Returns a draft, which collects changes for a new map. */
  draft(): MapDraft<V> {
    return new MapDraft(this, this.#root)
  }

  /**
   * Returns the number of inner nodes that this map does not share with another map. It shows the
   * cost of the changes between the two maps.
   */
  unsharedNodes(other: PersistentMap<V>): number {
    const count = (a: Node<V>, b: Node<V> | Leaf<V> | null): number => {
      if (a === b) return 0
      let sum = 1
      for (const [i, child] of a.slots.entries()) {
        if (child instanceof Node) sum += count(child, b instanceof Node ? b.slots[i]! : null)
      }
      return sum
    }
    return count(this.#root, other.#root)
  }

  *entries(): MapIterator<[string, V]> {
    yield* entriesOf(this.#root)
  }

  *keys(): MapIterator<string> {
    for (const [key] of this.entries()) yield key
  }

  *values(): MapIterator<V> {
    for (const [, value] of this.entries()) yield value
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries()
  }

  forEach(callback: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this.entries()) callback(value, key, this)
  }
}

function* entriesOf<V>(node: Node<V>): MapIterator<[string, V]> {
  for (const slot of node.slots) {
    if (slot instanceof Node) yield* entriesOf(slot)
    else for (let leaf = slot; leaf !== null; leaf = leaf.next) yield [leaf.key, leaf.value]
  }
}

/** Collects changes to a map. Copies a node before its first change. */
export class MapDraft<V> {
  readonly #from: PersistentMap<V>
  #owner: object = {}
  #root: Node<V>
  #size: number
  #changed = false

  constructor(from: PersistentMap<V>, root: Node<V>) {
    this.#from = from
    this.#root = root
    this.#size = from.size
  }

  get size(): number {
    return this.#size
  }

  get(key: string): V | undefined {
    if (!this.#changed) return this.#from.get(key)
    const hash = hashOf(key)
    let at: Node<V> | Leaf<V> | null = this.#root
    for (let shift = 0; at instanceof Node; shift += BITS) at = at.slots[(hash >>> shift) & MASK]!
    return find(at, key)?.value
  }

  set(key: string, value: V): void {
    this.#changed = true
    const hash = hashOf(key)
    this.#root = this.#own(this.#root)
    let node = this.#root
    for (let shift = 0; ; shift += BITS) {
      const i = (hash >>> shift) & MASK
      const slot = node.slots[i]!
      if (slot instanceof Node) {
        node = node.slots[i] = this.#own(slot)
      } else if (slot === null || slot.hash === hash) {
        if (find(slot, key) === null) this.#size++
        node.slots[i] = new Leaf(hash, key, value, withoutKey(slot, key))
        return
      } else {
        // Two keys with different hashes share this slot, so add a level.
        const deeper = new Node<V>(this.#owner, emptySlots())
        deeper.slots[(slot.hash >>> (shift + BITS)) & MASK] = slot
        node = node.slots[i] = deeper
      }
    }
  }

  delete(key: string): void {
    if (this.get(key) === undefined) return
    this.#changed = true
    this.#size--
    const root = this.#remove(this.#root, hashOf(key), 0, key)
    this.#root = root instanceof Node ? root : new Node<V>(this.#owner, emptySlots())
    if (root instanceof Leaf) this.#root.slots[root.hash & MASK] = root
  }

  #remove(node: Node<V>, hash: number, shift: number, key: string): Node<V> | Leaf<V> | null {
    const own = this.#own(node)
    const i = (hash >>> shift) & MASK
    const slot = own.slots[i]!
    own.slots[i] = slot instanceof Node ? this.#remove(slot, hash, shift + BITS, key) : withoutKey(slot, key)
    // Replace a node that contains only one leaf with the leaf, so that equal maps have equal
    // trees.
    const left = own.slots.filter(s => s !== null)
    return left.length > 1 || left[0] instanceof Node ? own : (left[0] ?? null)
  }

  #own(node: Node<V>): Node<V> {
    return node.owner === this.#owner ? node : new Node(this.#owner, node.slots.slice())
  }

  /** Returns the changed map, or the same map if nothing changed. */
  result(): PersistentMap<V> {
    if (!this.#changed) return this.#from
    // The nodes now belong to the new map, so this draft must not change them any more.
    this.#owner = {}
    return new PersistentMap(this.#root, this.#size)
  }
}

function withoutKey<V>(leaf: Leaf<V> | null, key: string): Leaf<V> | null {
  if (leaf === null) return null
  if (leaf.key === key) return leaf.next
  return new Leaf(leaf.hash, leaf.key, leaf.value, withoutKey(leaf.next, key))
}
