/** The maximum number of causes to print. A chain of causes may be long or circular. */
const MAX_CAUSES = 8

/** Returns the stack of an error and the stacks of its causes, like a Java stack trace. */
export function stackOf(error: Error): string {
  const parts = [error.stack ?? `${error.name}: ${error.message}`]
  let cause = error.cause
  for (let depth = 0; cause instanceof Error && depth < MAX_CAUSES; depth++, cause = cause.cause) {
    parts.push(`Caused by: ${cause.stack ?? `${cause.name}: ${cause.message}`}`)
  }
  return parts.join('\n')
}
