import type { SinkRecord } from '../../core/connect/index.ts'
import type { Slot } from './pending-offsets.ts'

/** One line of a bulk request, or two, and where it came from. */
export interface BulkItem {
  readonly record: SinkRecord
  readonly slot: Slot
  readonly index: string
  readonly id: string | null
  /** The external version; null where Elasticsearch counts by itself. */
  readonly version: string | null
  /** Action and document, each with its line feed. */
  readonly lines: string
  readonly bytes: number
  readonly op: 'index' | 'create' | 'update' | 'delete'
  /** Whether only its order protects the document: then it is never in two requests at a time. */
  readonly exclusive: boolean
}

/** What tells documents apart. */
export function documentOf(item: BulkItem): string {
  return `${item.index}\n${item.id}`
}

/** What is to become of an item after its answer. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'retry'; readonly status: number; readonly cause: string; readonly indexGone: boolean }
  | { readonly kind: 'refused'; readonly status: number; readonly cause: string }
  | { readonly kind: 'forbidden'; readonly status: number; readonly cause: string }

const DONE: Outcome = { kind: 'done' }

interface ItemAnswer {
  readonly status: number
  readonly error?: {
    readonly type?: string
    readonly reason?: string
    readonly caused_by?: { readonly reason?: string }
  }
}

/** Decides by the class of the status, so that an error that a new version brings needs no release of ours. */
export function outcomeOf(item: BulkItem, answer: ItemAnswer | undefined): Outcome {
  if (!answer) return { kind: 'retry', status: 0, cause: 'the answer does not mention it', indexGone: false }
  const { status, error } = answer
  if (status < 300) return DONE
  const type = error?.type ?? ''
  const cause = [`${type}: ${error?.reason ?? 'no reason given'}`, error?.caused_by?.reason].filter(Boolean).join('; ')
  const retry = (indexGone: boolean): Outcome => ({ kind: 'retry', status, cause, indexGone })
  // the document is newer already, or was written by an earlier delivery of the same record
  if (status === 409) return item.op === 'update' ? retry(false) : DONE
  if (status === 404 && type.includes('index_not_found')) return retry(true)
  if (status === 404 && item.op === 'delete') return DONE
  if (status === 408 || status === 429 || status >= 500 || type.includes('cluster_block')) return retry(false)
  if (status === 401 || status === 403) return { kind: 'forbidden', status, cause }
  return { kind: 'refused', status, cause }
}

/** The answers of a bulk request, in the order of its items. */
export function answersOf(body: unknown): readonly (ItemAnswer | undefined)[] {
  const items = (body as { items?: readonly Record<string, ItemAnswer>[] } | null)?.items ?? []
  return items.map(item => Object.values(item)[0])
}

/**
 * The items to send again: those to be retried, and with each that Elasticsearch does not order itself, the later ones of the
 * same document, so that the retry does not overwrite them.
 */
export function toSendAgain(items: readonly BulkItem[], retry: ReadonlySet<BulkItem>): BulkItem[] {
  const again: BulkItem[] = []
  const exclusive = new Set<string>()
  for (const item of items) {
    if (retry.has(item)) {
      again.push(item)
      if (item.exclusive) exclusive.add(documentOf(item))
    } else if (item.exclusive && exclusive.has(documentOf(item))) {
      again.push(item)
    }
  }
  return again
}

/** The items split in two halves that keep their order. */
export function halves(items: readonly BulkItem[]): [BulkItem[], BulkItem[]] {
  const middle = Math.ceil(items.length / 2)
  return [items.slice(0, middle), items.slice(middle)]
}
