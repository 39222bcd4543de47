import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Family } from './metric.ts'
import { CONTENT_TYPES, preferredFormat, writeText } from './text.ts'

/** A client that reads nothing for this long is disconnected, ms. */
const STALL_MS = 30_000

/** Answers GET or HEAD /metrics. Writes no faster than the client reads. */
export async function answerMetrics(
  req: IncomingMessage,
  res: ServerResponse,
  collect: () => Promise<Iterable<Family>>,
  stallMs = STALL_MS,
): Promise<void> {
  const format = preferredFormat(req.headers.accept)
  res.setHeader('Content-Type', CONTENT_TYPES[format])
  if (req.method === 'HEAD') {
    res.end()
    return
  }
  const closed = new Promise<void>(resolve => res.once('close', resolve))
  res.on('error', () => res.destroy())
  res.setTimeout(stallMs, () => res.destroy())
  for await (const chunk of writeText(await collect(), format)) {
    if (res.destroyed) return
    if (!res.write(chunk)) await Promise.race([new Promise(resolve => res.once('drain', resolve)), closed])
  }
  res.end()
}
