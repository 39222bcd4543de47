/**
 * Resolves in the next turn of the event loop, after pending I/O. Await this in long loops, so that
 * the loops do not block I/O.
 */
// biome-ignore lint/plugin: the wait for the next turn is implemented only here
export const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
