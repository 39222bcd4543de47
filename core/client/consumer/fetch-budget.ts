/** The number of brokers to fetch from now, and the maximum bytes of each fetch. */
export interface FetchBudget {
  readonly brokers: number
  readonly bytes: number
}

/**
 * Divides the available bytes of `fetch.max.bytes` between the idle brokers. Each fetch gets at
 * least `least` bytes, so only some brokers get a fetch if `available` is too small for all. If
 * nothing is buffered, all brokers get a fetch, even if the limit is small.
 */
export function fetchBudget(available: number, least: number, idle: number, buffered: number): FetchBudget {
  const brokers = buffered === 0 ? idle : Math.min(idle, Math.floor(Math.max(0, available) / least))
  return { brokers, bytes: brokers === 0 ? 0 : Math.max(1, Math.floor(available / brokers)) }
}
