/**
 * The first flexible version of each API. It determines the versions of request and response
 * headers. The declarations contain the same numbers, and a test compares them. With this separate
 * table, a client loads only the declarations of the messages that it uses.
 */
const FIRST_FLEXIBLE: ReadonlyMap<number, number> = new Map([
  [0, 9],
  [1, 12],
  [2, 6],
  [3, 9],
  [8, 8],
  [9, 6],
  [10, 3],
  [11, 6],
  [12, 4],
  [13, 4],
  [14, 4],
  [15, 5],
  [16, 3],
  [18, 3],
  [19, 5],
  [20, 4],
  [21, 2],
  [22, 2],
  [23, 4],
  [24, 3],
  [25, 3],
  [26, 3],
  [27, 1],
  [28, 3],
  [32, 4],
  [33, 2],
  [35, 2],
  [36, 2],
  [37, 2],
  [42, 2],
  [43, 2],
  [44, 1],
  [60, 0],
  [61, 0],
  [69, 0],
  [74, 0],
  [75, 0],
])

/**
 * Returns whether the messages of an API have compact lengths and tagged fields in a version.
 * Returns false for an unknown API.
 */
export function isFlexible(apiKey: number, apiVersion: number): boolean {
  return apiVersion >= (FIRST_FLEXIBLE.get(apiKey) ?? Infinity)
}
