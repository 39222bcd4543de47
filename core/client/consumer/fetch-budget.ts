/** Of the brokers that could be asked now: how many to ask, and for how many bytes each. */
export interface FetchBudget {
  readonly brokers: number
  readonly bytes: number
}

/**
 * Divides what is left of `fetch.max.bytes`. `least`: what a fetch must be allowed to bring to be worth while; fewer brokers are asked
 * rather than all for less. With nothing at all buffered every broker may be asked, however small the limit.
 */
export function fetchBudget(room: number, least: number, idle: number, buffered: number): FetchBudget {
  const brokers = buffered === 0 ? idle : Math.min(idle, Math.floor(Math.max(0, room) / least))
  return { brokers, bytes: brokers === 0 ? 0 : Math.max(1, Math.floor(room / brokers)) }
}
