/** The response to a request, from Elasticsearch or from a gateway in front of it. */
export interface Answer {
  readonly status: number
  /** The body as JSON, or as text if it is not JSON; null without a body. */
  readonly body: unknown
}

/** An error object of Elasticsearch. */
export interface Cause {
  readonly type?: string
  readonly reason?: string
  readonly caused_by?: { readonly type?: string; readonly reason?: string }
  /** The memory limit of a circuit breaker, if a circuit breaker rejected the request. */
  readonly bytes_limit?: number
}

/** A generous estimate of the memory that a node needs for a request, in addition to its bytes. */
const OVERHEAD_BYTES = 4096

/** The number of characters of an unexpected response that an error message shows. */
const SHOWN = 200

/** Returns the error in a body; null if the body is not an error of Elasticsearch. */
export function causeOf(body: unknown): Cause | null {
  const error = (body as { error?: unknown } | null)?.error
  if (typeof error === 'string') return { reason: error }
  const cause = error as Cause | null | undefined
  return typeof cause?.type === 'string' ? cause : null
}

/** Whether a body is an error message of Elasticsearch, rather than of a gateway or proxy. */
export function isFromElasticsearch(body: unknown): boolean {
  return causeOf(body) !== null
}

export function wordsOf(cause: Cause): string {
  const { type, reason, caused_by: by } = cause
  return [[type, reason ?? 'no reason given'].filter(Boolean).join(': '), by?.reason].filter(Boolean).join('; ')
}

/** Returns the reason in an error body as text. */
export function reasonOf(body: unknown): string {
  const cause = causeOf(body)
  if (cause) return wordsOf(cause)
  if (typeof body !== 'object' || body === null) {
    const text = String(body ?? '')
      .replace(/\s+/g, ' ')
      .trim()
    return text === '' ? 'the response has no body' : `the response starts with ${text.slice(0, SHOWN)}`
  }
  const { message, Message } = body as { message?: unknown; Message?: unknown }
  const text = message ?? Message
  return typeof text === 'string' ? text : `the response starts with ${JSON.stringify(body).slice(0, SHOWN)}`
}

/**
 * Returns whether a request can never succeed, because it exceeds the memory limit in the response.
 * `own` is the size of the request. A rejection by a node without other load is also such a case,
 * but only if the request was repeated (`wasRepeated`). After the first attempt, another node of
 * the cluster may still accept the request.
 */
export function isOverLimit(cause: Cause | null, own: number, wasRepeated: boolean): boolean {
  const reason = cause?.reason ?? ''
  const numberOf = (pattern: RegExp) => Number(pattern.exec(reason)?.[1] ?? Number.NaN)
  // Indexing pressure counts a document several times. The response contains the counted size.
  const counted = numberOf(/_operation_bytes=(\d+)/)
  const most = numberOf(/\bmax_\w+_bytes=(\d+)/)
  if (counted > most) return true
  const underWay = numberOf(/\bcoordinating_and_primary_bytes=(\d+)/)
  if (wasRepeated && counted + underWay > most && underWay <= own + OVERHEAD_BYTES) return true
  if (cause?.type !== 'circuit_breaking_exception' || typeof cause.bytes_limit !== 'number') return false
  const reserved = numberOf(/new bytes reserved: \[(\d+)/)
  return own > cause.bytes_limit || reserved > cause.bytes_limit
}
