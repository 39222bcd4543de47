import { type BulkItem, documentOf } from './bulk-request.ts'

/**
 * The deletes that were written while an older request is still in flight. A retry of the older
 * request must not recreate a deleted document. After a minute, Elasticsearch no longer prevents
 * this, because it removes the version of a delete.
 */
export class RecentDeletes {
  readonly #byDocument = new Map<string, { readonly version: bigint; readonly run: number }>()

  /** Adds a delete of the request `run`, with the status of its response. */
  add(run: number, item: BulkItem, status: number): void {
    // Status 409 means that the document is newer than this delete.
    if (item.version === null || status === 409) return
    const document = documentOf(item)
    const version = BigInt(item.version)
    if ((this.#byDocument.get(document)?.version ?? -1n) < version) this.#byDocument.set(document, { version, run })
  }

  /** Whether a later record has deleted the document of an item. */
  isObsolete(item: BulkItem): boolean {
    if (this.#byDocument.size === 0 || item.version === null) return false
    const deleted = this.#byDocument.get(documentOf(item))
    return deleted !== undefined && deleted.version >= BigInt(item.version)
  }

  /** Removes the deletes of requests older than `oldest`, the oldest request in flight. */
  prune(oldest: number): void {
    for (const [document, { run }] of this.#byDocument) if (run < oldest) this.#byDocument.delete(document)
  }
}
