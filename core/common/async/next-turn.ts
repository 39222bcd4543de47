/** Resolves in the next turn of the event loop, after pending I/O. Long loops await it so that they do not block I/O. */
export const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
