import { inHashOrder, javaStringHash } from '../../../common/java-hash-map.ts'
import type { TopicPartition } from '../../types.ts'
import { keyOf } from './sticky-owned.ts'

interface Pair {
  readonly from: string
  readonly to: string
}

/**
 * Records which partitions moved between which members during one assignment. If a partition must
 * move from B to A, and another partition of the topic moved from A to B before, that other
 * partition moves back instead.
 */
export class PartitionMovements {
  readonly #pairOf = new Map<string, Pair>()
  readonly #byTopic = new Map<string, Map<string, Map<string, TopicPartition>>>()

  move(tp: TopicPartition, from: string, to: string): void {
    const earlier = this.#pairOf.get(keyOf(tp))
    if (earlier === undefined) {
      this.#add(tp, { from, to })
      return
    }
    this.#remove(tp, earlier)
    if (earlier.from !== to) this.#add(tp, { from: earlier.from, to })
  }

  /**
   * Returns a partition of the same topic that moved in the opposite direction before. If there is
   * no such partition, returns `tp`.
   */
  actualToMove(tp: TopicPartition, from: string, to: string): TopicPartition {
    const pairs = this.#byTopic.get(tp.topic)
    if (pairs === undefined) return tp
    const source = this.#pairOf.get(keyOf(tp))?.from ?? from
    const back = pairs.get(pairKey({ from: to, to: source }))
    return back === undefined ? tp : inHashOrder([...back.values()], partitionHash)[0]!
  }

  #add(tp: TopicPartition, pair: Pair): void {
    this.#pairOf.set(keyOf(tp), pair)
    let pairs = this.#byTopic.get(tp.topic)
    if (!pairs) this.#byTopic.set(tp.topic, (pairs = new Map()))
    let moved = pairs.get(pairKey(pair))
    if (!moved) pairs.set(pairKey(pair), (moved = new Map()))
    moved.set(keyOf(tp), tp)
  }

  #remove(tp: TopicPartition, pair: Pair): void {
    this.#pairOf.delete(keyOf(tp))
    const pairs = this.#byTopic.get(tp.topic)!
    const moved = pairs.get(pairKey(pair))!
    moved.delete(keyOf(tp))
    if (moved.size === 0) pairs.delete(pairKey(pair))
    if (pairs.size === 0) this.#byTopic.delete(tp.topic)
  }
}

function pairKey(pair: Pair): string {
  return JSON.stringify([pair.from, pair.to])
}

/** Returns the hash code of an org.apache.kafka.common.TopicPartition. */
function partitionHash(tp: TopicPartition): number {
  return (Math.imul(31, 31 + tp.partition) + javaStringHash(tp.topic)) | 0
}
