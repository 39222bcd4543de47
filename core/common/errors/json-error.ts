import { messageOf } from './error-table.ts'

/**
 * Returns the message of a JSON syntax error without the text that V8 quotes, which may contain a
 * password.
 */
export function jsonError(error: unknown): string {
  return messageOf(error).replace(/, (?:\.\.\.)?".*"(?:\.\.\.)? is not valid JSON$/s, '')
}
