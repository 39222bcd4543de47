import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Family } from './metric.ts'
import { CONTENT_TYPES, preferredFormat, writeText } from './text.ts'

/**
 * The maximum number of scrapes that are answered at the same time. Further scrapes are refused
 * with status 503.
 */
export const MAX_SCRAPES = 8
export const TOO_MANY_SCRAPES = 'Too many scrapes are running. Try again later.'
/** The maximum duration of a scrape, in milliseconds. Prometheus gives up after 10 s by default. */
const LIMIT_MS = 30_000

/**
 * Answers GET or HEAD /metrics. Writes no faster than the client reads, and disconnects a client
 * that has not read everything within the limit, so that slow clients cannot block others.
 */
export async function answerMetrics(
  req: IncomingMessage,
  res: ServerResponse,
  collect: () => Promise<Iterable<Family>>,
  limitMs = LIMIT_MS,
): Promise<void> {
  const format = preferredFormat(req.headers.accept)
  res.setHeader('Content-Type', CONTENT_TYPES[format])
  if (req.method === 'HEAD') {
    res.end()
    return
  }
  const limit = setTimeout(() => res.destroy(), limitMs)
  const closed = new Promise<void>(resolve =>
    res.once('close', () => {
      clearTimeout(limit)
      resolve()
    }),
  )
  res.on('error', () => res.destroy())
  for await (const chunk of writeText(await collect(), format)) {
    if (res.destroyed) return
    if (!res.write(chunk)) await Promise.race([new Promise(resolve => res.once('drain', resolve)), closed])
  }
  res.end()
}
