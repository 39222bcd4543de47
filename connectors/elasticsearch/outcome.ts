import { type Cause, isOverLimit, wordsOf } from './answer.ts'
import type { BulkItem } from './bulk-request.ts'
import { isAboutIndex } from './failures.ts'

/** The result of one item of a bulk request. */
export interface ItemAnswer {
  readonly status: number
  readonly error?: Cause
}

interface Refusal {
  readonly status: number
  readonly cause: Cause
  readonly words: string
}

/**
 * What a response means for an item. Only `refused` and `tooLarge` are about the document itself.
 */
export type Outcome =
  | { readonly kind: 'done' }
  /** A temporary error. */
  | ({ readonly kind: 'retry' } & Refusal)
  /** The item and the rest of the request together need more memory than a limit allows. */
  | ({ readonly kind: 'tooLarge' } & Refusal)
  | ({ readonly kind: 'refused' } & Refusal)
  /**
   * Either the document or the index was rejected. Only a request with another document can show
   * which of the two.
   */
  | ({ readonly kind: 'unclear' } & Refusal)
  /** The index rejects all documents. `gone`: it does not exist. */
  | ({ readonly kind: 'index'; readonly gone: boolean } & Refusal)
  | ({ readonly kind: 'forbidden' } & Refusal)

/** The request of an item. */
export interface RequestState {
  readonly bytes: number
  /** Whether the same items were rejected `max.retries` times. */
  readonly wasRepeated: boolean
}

const DONE: Outcome = { kind: 'done' }

/** Error types that only the content of a document can cause. */
const ABOUT_DOCUMENT = new Set(['document_parsing_exception', 'strict_dynamic_mapping_exception'])

function isAboutDocument({ type = '', reason = '' }: Cause): boolean {
  if (ABOUT_DOCUMENT.has(type)) return true
  // Elasticsearch 7 and OpenSearch use this type also for an invalid mapping, with the reason
  // "Failed to parse mapping"
  return type === 'mapper_parsing_exception' && /^(failed to parse($| field)|object mapping for)/.test(reason)
}

const CONFLICT = 'version_conflict_engine_exception'

/**
 * Decides what a response means. A document is refused only for errors that are known to be about
 * the document. After an unknown error, for example of a newer Elasticsearch, the outcome is
 * unclear, and a probe must decide.
 */
export function outcomeOf(item: BulkItem, answer: ItemAnswer, request: RequestState): Outcome {
  const { status, error: cause = {} } = answer
  if (status >= 200 && status < 300) return DONE
  const { type } = cause
  const refusal = { status, cause, words: wordsOf(cause) }
  // The stored document is newer, or comes from an earlier delivery of the same record.
  if (status === 409 && (type === CONFLICT || type === undefined))
    return item.op === 'update' ? { kind: 'retry', ...refusal } : DONE
  if (status === 404 && item.op === 'delete' && type === undefined) return DONE
  if (isAboutIndex(cause)) {
    const gone = type === 'index_not_found_exception' || type === 'validation_exception'
    return { kind: 'index', gone, ...refusal }
  }
  if (status === 429 && isOverLimit(cause, request.bytes, request.wasRepeated)) return { kind: 'tooLarge', ...refusal }
  if (status === 401 || status === 403) return { kind: 'forbidden', ...refusal }
  if (status === 408 || status === 429 || status >= 500) return { kind: 'retry', ...refusal }
  return { kind: isAboutDocument(cause) ? 'refused' : 'unclear', ...refusal }
}

/**
 * Returns the results of a bulk request, in the order of its items. Null if the body is not a bulk
 * response.
 */
export function itemAnswersOf(body: unknown, count: number): readonly ItemAnswer[] | null {
  const items = (body as { items?: unknown } | null)?.items
  if (!Array.isArray(items) || items.length !== count) return null
  const answers = items.map(item => Object.values((item ?? {}) as Record<string, ItemAnswer>)[0])
  return answers.every(a => typeof a?.status === 'number') ? (answers as ItemAnswer[]) : null
}

/**
 * Returns a write that changes nothing and that a working index rejects with a known error. The
 * write requires that a document with this id exists, but no document has this id. Elasticsearch
 * checks the alias, blocks, pipelines and mapping as for any other write.
 */
export function probeOf(index: string, id: string): string {
  return `{"index":{"_index":${JSON.stringify(index)},"_id":"${id}","if_seq_no":0,"if_primary_term":1}}\n{}\n`
}

/** Whether the response to a probe shows that the index accepts documents. */
export function takesDocuments({ status, error }: ItemAnswer): boolean {
  if (status === 409) return error?.type === CONFLICT
  // The index is available if only its mapping rejected the empty document of the probe.
  return status < 300 || (error !== undefined && isAboutDocument(error))
}
