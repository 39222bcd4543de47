import { connect } from 'node:net'
import { messageOf } from '../common/errors/error-table.ts'
import { errors } from './errors.ts'

/** The time limit for connecting to one address, ms. */
const PROBE_MS = 3000

function probe(host: string, port: number, signal: AbortSignal): Promise<string | null> {
  return new Promise(resolve => {
    const socket = connect({ host, port })
    const end = (reason: string | null) => {
      socket.destroy()
      signal.removeEventListener('abort', stop)
      resolve(reason)
    }
    const stop = () => end('cancelled')
    socket.setTimeout(PROBE_MS, () => end(`no answer within ${PROBE_MS / 1000} s`))
    socket.once('connect', () => end(null))
    socket.once('error', error => end(messageOf(error)))
    signal.addEventListener('abort', stop)
  })
}

/**
 * Resolves if one of the addresses accepts a connection. Otherwise throws MR_WORKER_BROKERS_AWAY
 * with the reason for each address. This check reports the problem at once, whereas a client would
 * first retry for a minute.
 */
export async function someReachable(servers: readonly string[], signal: AbortSignal): Promise<void> {
  const reasons = await Promise.all(
    servers.map(async server => {
      const m = /^(?:\w+:\/\/)?\[?(.+?)\]?:(\d+)$/.exec(server)
      const reason = m ? await probe(m[1]!, Number(m[2]), signal) : 'not host:port'
      return reason === null ? null : `${server} (${reason})`
    }),
  )
  if (reasons.some(r => r === null)) return
  throw errors.create('MR_WORKER_BROKERS_AWAY', { servers: reasons.join(', ') })
}
