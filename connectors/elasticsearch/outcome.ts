import { type Cause, isOverLimit, wordsOf } from './answer.ts'
import type { BulkItem } from './bulk-request.ts'
import { isAboutIndex } from './failures.ts'

/** The answer to one item of a bulk request. */
export interface ItemAnswer {
  readonly status: number
  readonly error?: Cause
}

interface Refusal {
  readonly status: number
  readonly cause: Cause
  readonly words: string
}

/** What is to become of an item after its answer. Only `refused` and `tooLarge` are about the one document. */
export type Outcome =
  | { readonly kind: 'done' }
  /** Passes by itself. */
  | ({ readonly kind: 'retry' } & Refusal)
  /** Needs more memory than a limit allows, together with what else is in its request. */
  | ({ readonly kind: 'tooLarge' } & Refusal)
  | ({ readonly kind: 'refused' } & Refusal)
  /** For the document or for the index: only another document can tell. */
  | ({ readonly kind: 'unclear' } & Refusal)
  /** The index takes no documents. `gone`: it is not there. */
  | ({ readonly kind: 'index'; readonly gone: boolean } & Refusal)
  | ({ readonly kind: 'forbidden' } & Refusal)

/** What is known of the request that an item is in. */
export interface RequestState {
  readonly bytes: number
  /** Whether the same items were refused as often as `max.retries` says. */
  readonly wasRepeated: boolean
}

const DONE: Outcome = { kind: 'done' }

/** Types of errors that only the content of a document causes. */
const ABOUT_DOCUMENT = new Set(['document_parsing_exception', 'strict_dynamic_mapping_exception'])

function isAboutDocument({ type = '', reason = '' }: Cause): boolean {
  if (ABOUT_DOCUMENT.has(type)) return true
  // Elasticsearch 7 and OpenSearch; of a mapping that cannot be parsed it says "Failed to parse mapping"
  return type === 'mapper_parsing_exception' && /^(failed to parse($| field)|object mapping for)/.test(reason)
}

const CONFLICT = 'version_conflict_engine_exception'

/**
 * Decides what an answer means. What is not known to be about the one document is never taken for it: an error that a new
 * version of Elasticsearch brings is unclear until a probe has told.
 */
export function outcomeOf(item: BulkItem, answer: ItemAnswer, request: RequestState): Outcome {
  const { status, error: cause = {} } = answer
  if (status >= 200 && status < 300) return DONE
  const { type } = cause
  const refusal = { status, cause, words: wordsOf(cause) }
  // the document is newer already, or was written by an earlier delivery of the same record
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

/** The answers of a bulk request, in the order of its items; null where the body is no such answer. */
export function itemAnswersOf(body: unknown, count: number): readonly ItemAnswer[] | null {
  const items = (body as { items?: unknown } | null)?.items
  if (!Array.isArray(items) || items.length !== count) return null
  const answers = items.map(item => Object.values((item ?? {}) as Record<string, ItemAnswer>)[0])
  return answers.every(a => typeof a?.status === 'number') ? (answers as ItemAnswer[]) : null
}

/**
 * A write that any index refuses which takes documents, and that changes none: of a document that is not there, on the condition
 * that it is. It goes the whole way that a document goes, with alias, blocks, pipelines and mapping.
 */
export function probeOf(index: string, id: string): string {
  return `{"index":{"_index":${JSON.stringify(index)},"_id":"${id}","if_seq_no":0,"if_primary_term":1}}\n{}\n`
}

/** Whether the answer to a probe says that the index takes documents. */
export function takesDocuments({ status, error }: ItemAnswer): boolean {
  if (status === 409) return error?.type === CONFLICT
  // an empty document lacks what the mapping wants: it came as far as that
  return status < 300 || (error !== undefined && isAboutDocument(error))
}
