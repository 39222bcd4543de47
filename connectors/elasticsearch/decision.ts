import { type BulkItem, bytesOf, toSendAgain } from './bulk-request.ts'
import { errors } from './errors.ts'
import { indexError, type Place, unavailable } from './failures.ts'
import { type ItemAnswer, type Outcome, outcomeOf, takesDocuments } from './outcome.ts'

/** The items of one request. */
export interface Sent {
  readonly items: readonly BulkItem[]
  /** The items whose index is probed. */
  readonly unclear: ReadonlySet<BulkItem>
  /** Whether the same items were rejected `max.retries` times. */
  readonly wasRepeated: boolean
}

/** A document that was rejected permanently. */
export interface Refused {
  readonly item: BulkItem
  readonly status: number
  readonly words: string
  readonly isTooLarge: boolean
}

/** The next steps for the items of a request. */
export interface Decision {
  readonly done: readonly { readonly item: BulkItem; readonly status: number }[]
  readonly refused: readonly Refused[]
  /** Items to retry, in order. */
  readonly again: readonly BulkItem[]
  /** Items to retry with a probe: it is unclear whether the document or the index was rejected. */
  readonly unclear: ReadonlySet<BulkItem>
  /** One item of each index that no longer exists. */
  readonly gone: readonly BulkItem[]
  /** Why items are retried; null if they are retried only to find out what was rejected. */
  readonly why: Error | null
  /** The error for rejected credentials, which fails the task. */
  readonly login: Error | null
  /** Whether a smaller request may succeed. */
  readonly isTooMuch: boolean
  /** Whether the node had no capacity for items. */
  readonly isBusy: boolean
}

/**
 * The indices that a request probes. The request contains its items first, then the probes in this
 * order.
 */
export function probedOf(unclear: ReadonlySet<BulkItem>): string[] {
  return [...new Set([...unclear].map(item => item.index))]
}

/**
 * Returns what to do with the items of a request, given its results. The results of the probes
 * follow those of the items. Does no I/O.
 */
export function decide(sent: Sent, answers: readonly ItemAnswer[], url: string): Decision {
  const { items, unclear } = sent
  const probes = answers.slice(items.length)
  const taking = new Set(probedOf(unclear).filter((_, n) => takesDocuments(probes[n]!)))
  const isAlone = items.length === 1
  const request = { bytes: bytesOf(items), wasRepeated: sent.wasRepeated && isAlone }
  const outcomes = items.map((item, n) =>
    probed(outcomeOf(item, answers[n]!, request), unclear.has(item), taking.has(item.index)),
  )
  const isOver = ({ kind }: Outcome) => kind === 'done' || kind === 'refused' || (kind === 'tooLarge' && isAlone)
  const again = toSendAgain(items, new Set(items.filter((_, n) => !isOver(outcomes[n]!))))
  const kept = new Set(again)
  const done: { item: BulkItem; status: number }[] = []
  const refused: Refused[] = []
  const left: [BulkItem, Outcome][] = []
  for (const [n, item] of items.entries()) {
    const outcome = outcomes[n]!
    if (kept.has(item)) left.push([item, outcome])
    else if (outcome.kind === 'done') done.push({ item, status: answers[n]!.status })
    else refused.push({ item, status: outcome.status, words: outcome.words, isTooLarge: outcome.kind === 'tooLarge' })
  }
  return { done, refused, again, ...meaningOf(left, url) }
}

/**
 * Returns the outcome of an item. If the outcome is unclear and the index was probed, the probe
 * decides. If the index accepts documents (`isTaking`), the document is at fault. Otherwise, the
 * index is at fault.
 */
function probed(outcome: Outcome, wasProbed: boolean, isTaking: boolean): Outcome {
  if (outcome.kind !== 'unclear' || !wasProbed) return outcome
  return isTaking ? { ...outcome, kind: 'refused' } : { ...outcome, kind: 'index', gone: false }
}

/** Returns the part of the decision that follows from the outcomes of the items to retry. */
function meaningOf(
  left: readonly (readonly [BulkItem, Outcome])[],
  url: string,
): Omit<Decision, 'done' | 'refused' | 'again'> {
  const unclear = new Set<BulkItem>()
  const gone = new Map<string, BulkItem>()
  let why: Error | null = null
  let login: Error | null = null
  let isTooMuch = false
  let isBusy = false
  for (const [item, outcome] of left) {
    // These items are in the list only because an older write of the same document is retried.
    if (outcome.kind === 'done' || outcome.kind === 'refused') continue
    const { status, words, cause } = outcome
    const place: Place = { url, index: item.index, topic: item.record.topic }
    if (status === 429) isBusy = true
    switch (outcome.kind) {
      case 'unclear':
        unclear.add(item)
        break
      case 'forbidden':
        login ??= errors.create('MR_ES_AUTH', { ...place, status, cause: words })
        break
      case 'index':
        why ??= indexError(place, status, cause, words)
        if (outcome.gone) gone.set(item.index, item)
        break
      case 'tooLarge':
      case 'retry':
        why ??= unavailable(place, status, words)
        if (outcome.kind === 'tooLarge') isTooMuch = true
    }
  }
  return { unclear, gone: [...gone.values()], why, login, isTooMuch, isBusy }
}
