import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Family } from './metric.ts'
import { CONTENT_TYPES, preferredFormat, writeText } from './text.ts'

/** Answers GET or HEAD /metrics. Writes no faster than the client reads. */
export async function answerMetrics(
  req: IncomingMessage,
  res: ServerResponse,
  collect: () => Promise<Iterable<Family>>,
): Promise<void> {
  const format = preferredFormat(req.headers.accept)
  res.setHeader('Content-Type', CONTENT_TYPES[format])
  if (req.method === 'HEAD') {
    res.end()
    return
  }
  const closed = once(res, 'close')
  for await (const chunk of writeText(await collect(), format)) {
    if (res.destroyed) return
    if (!res.write(chunk)) await Promise.race([once(res, 'drain'), closed])
  }
  res.end()
}
