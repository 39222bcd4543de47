import { ConnectError, messageOf, RetriableError } from 'millrace/connect'
import type { Settings } from './config.ts'

/** An item of the API. Newer items have higher ids. */
export interface Item {
  readonly id: number
  readonly [field: string]: unknown
}

/** Returns the items with an id above `after`, in the order of their ids. */
export async function fetchItems(settings: Settings, after: number, signal: AbortSignal): Promise<Item[]> {
  const url = new URL(settings.url)
  url.searchParams.set('after', String(after))
  url.searchParams.set('limit', String(settings['page.size']))
  const headers: Record<string, string> = { accept: 'application/json' }
  if (settings.token) headers['authorization'] = `Bearer ${settings.token.value}`
  let response: Response
  let body: unknown
  try {
    response = await fetch(url, { headers, signal })
    body = response.ok ? await response.json() : null
  } catch (error) {
    signal.throwIfAborted()
    // A network error or an incomplete response may be temporary.
    throw new RetriableError(`cannot read ${settings.url}: ${messageOf(error)}`, { cause: error })
  }
  if (response.status === 429 || response.status >= 500)
    throw new RetriableError(`${settings.url} answered ${response.status}`)
  if (!response.ok) throw new ConnectError(`${settings.url} answered ${response.status}: check url and token`)
  if (!Array.isArray(body) || body.some(item => !Number.isSafeInteger(item?.id)))
    throw new ConnectError(`${settings.url} must return a JSON array of objects with a whole-number "id"`)
  return body as Item[]
}
