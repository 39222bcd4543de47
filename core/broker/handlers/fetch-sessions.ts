/** Placeholder of the type until the fetch handler is here; see 01-fetch.ts. */
export interface FetchSessions {
  readonly size: number
}
