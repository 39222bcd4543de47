import type { SinkRecord } from 'millrace/connect'
import type { Slot } from './pending-offsets.ts'

/** One action of a bulk request, and its record. */
export interface BulkItem {
  readonly record: SinkRecord
  readonly slot: Slot
  readonly index: string
  readonly id: string | null
  /** The external version; null if Elasticsearch assigns the version. */
  readonly version: string | null
  /** The action and the document, each with its line feed. */
  readonly lines: string
  readonly bytes: number
  readonly op: 'index' | 'create' | 'update' | 'delete'
  /**
   * Whether the document must not be in two requests at a time, because it has no external version.
   */
  readonly exclusive: boolean
}

/** Identifies the document of an item. */
export function documentOf(item: BulkItem): string {
  return `${item.index}\n${item.id}`
}

export function bytesOf(items: readonly BulkItem[]): number {
  let bytes = 0
  for (const item of items) bytes += item.bytes
  return bytes
}

/**
 * Returns the body of a bulk request. Writing item by item takes a third of the time of joining the
 * texts first.
 */
export function bodyOf(items: readonly BulkItem[], probes: string): Buffer {
  const body = Buffer.allocUnsafe(bytesOf(items) + Buffer.byteLength(probes))
  let at = 0
  // If there are as many bytes as characters, the text is ASCII, for which latin1 is faster.
  for (const { lines, bytes } of items) at += body.write(lines, at, bytes === lines.length ? 'latin1' : 'utf8')
  body.write(probes, at)
  return body
}

/**
 * Returns the items to send again. If an item without an external version is retried, the later
 * items of its document are sent again too, so that the retry does not overwrite them.
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

/** Splits items into two halves, in order. */
export function halves(items: readonly BulkItem[]): [BulkItem[], BulkItem[]] {
  const middle = Math.ceil(items.length / 2)
  return [items.slice(0, middle), items.slice(middle)]
}
