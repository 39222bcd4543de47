import { messageOf } from './error-table.ts'

/** What is wrong with a text that is no JSON, without the text around the place, which V8 quotes: it may hold a password. */
export function jsonError(error: unknown): string {
  return messageOf(error).replace(/, (?:\.\.\.)?".*"(?:\.\.\.)? is not valid JSON$/s, '')
}
