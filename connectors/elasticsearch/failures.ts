import { type Answer, type Cause, causeOf, isFromElasticsearch, reasonOf, wordsOf } from './answer.ts'
import { errors } from './errors.ts'

/** The target of a request, for messages. */
export interface Place {
  readonly url: string
  readonly index: string
  readonly topic: string
}

/** What to do about an index that rejects documents, by the type or the reason of the error. */
const HINTS: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [/^index_closed_exception/, 'Open the index (POST /{index}/_open).'],
  [
    /flood.?stage|read-only-allow-delete/,
    'The disk is almost full. Free some space; Elasticsearch then removes the block.',
  ],
  [/^cluster_block_exception/, 'Remove the block from the settings of the index (index.blocks.*) or of the cluster.'],
  [/maximum .*shards open|max_shards_per_node/, 'Delete indices, or raise cluster.max_shards_per_node.'],
  [
    /^invalid_index_name_exception/,
    'Correct the name. It comes from the topic name, data.stream.* or topic.to.external.resource.mapping.',
  ],
  [/no write index/, 'Give the alias a write index (is_write_index).'],
  [
    /op_type of create/,
    'The target is a data stream: set data.stream.type, or set external.resource.usage to DATASTREAM or ALIAS_DATASTREAM.',
  ],
  [/pipeline with id/, 'Create the pipeline, or change index.default_pipeline or index.final_pipeline.'],
  [
    /^routing_missing_exception/,
    'The mapping requires a routing value, but the sink sends none. Change _routing in the mapping.',
  ],
  [/^index_not_found_exception/, 'Create the index, or allow automatic creation (action.auto_create_index).'],
]

export function indexError(place: Place, status: number, cause: Cause, words: string): Error {
  const text = `${cause.type ?? ''}: ${cause.reason ?? ''}`
  const known = HINTS.find(([pattern]) => pattern.test(text))?.[1] ?? 'Fix the problem that Elasticsearch reports.'
  const hint = known.replace('{index}', place.index)
  return errors.create('MR_ES_INDEX', { ...place, status, cause: words, hint })
}

/** Returns the error for an index that rejects all documents at the moment. */
export function unavailable(place: Place, status: number, cause: string): Error {
  if (status === 429) return errors.create('MR_ES_BUSY', { ...place, status, cause })
  if (status === 409) return errors.create('MR_ES_CONFLICT', { ...place, status, cause })
  return errors.create('MR_ES_UNAVAILABLE', { ...place, status, cause })
}

/** Error types which mean that the index currently rejects every document. */
const ABOUT_INDEX = new Set([
  'cluster_block_exception',
  'index_closed_exception',
  'index_not_found_exception',
  'invalid_index_name_exception',
  'routing_missing_exception',
  'validation_exception',
])

export function isAboutIndex({ type = '', reason = '' }: Cause): boolean {
  // A message about the number of documents means that one shard is full. The error is then about
  // the index too, although its other shards may have room.
  return ABOUT_INDEX.has(type) || /number of documents in the .* (cannot|can't) exceed/i.test(reason)
}

/**
 * Returns the error for a rejected request. All these errors are retriable, because their cause is
 * temporary or can be fixed.
 */
export function errorFor(method: string, path: string, answer: Answer, place: Place): Error {
  const { status, body } = answer
  const words = reasonOf(body)
  const cause = causeOf(body)
  const shortPath = path.split('?')[0]!
  if (cause && isAboutIndex(cause)) return indexError(place, status, cause, words)
  if (status === 401 || status === 403) return errors.create('MR_ES_AUTH', { ...place, status, cause: words })
  if (status === 408 || status === 429 || status >= 500) return unavailable(place, status, words)
  if (isFromElasticsearch(body))
    return errors.create('MR_ES_REQUEST', { ...place, method, path: shortPath, status, cause: words })
  return errors.create('MR_ES_ANSWER', {
    ...place,
    method,
    path: shortPath,
    cause: `status ${status}, ${words}, which is not an Elasticsearch response (index ${place.index} of topic ${place.topic})`,
  })
}

/** Returns the error for a rejected write whose cause is not the document itself. */
export function itemError(place: Place, status: number, cause: Cause): Error {
  const words = wordsOf(cause)
  if (!isAboutIndex(cause)) {
    if (status === 401 || status === 403) return errors.create('MR_ES_AUTH', { ...place, status, cause: words })
    if (status === 408 || status === 429 || status >= 500) return unavailable(place, status, words)
  }
  return indexError(place, status, cause, words)
}

/**
 * Whether the credentials were rejected. The task then fails, so that its restart reads the
 * configuration again.
 */
export function isRefusedLogin(error: unknown): boolean {
  return (error as { code?: string } | null)?.code === 'MR_ES_AUTH'
}
