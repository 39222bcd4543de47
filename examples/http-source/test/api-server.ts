import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * Starts an HTTP API for tests: `GET /?after=2&limit=100` returns the items with an id above 2.
 * Port 0 means any free port.
 */
export async function startApi(count: number, listenPort = 0) {
  const state = { count, available: true, token: '' }
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '/', 'http://localhost').searchParams
    const isAllowed = state.token === '' || request.headers.authorization === `Bearer ${state.token}`
    response.statusCode = !state.available ? 503 : isAllowed ? 200 : 401
    if (response.statusCode !== 200) return void response.end()
    const after = Number(query.get('after'))
    const last = Math.min(state.count, after + Number(query.get('limit')))
    const items = []
    for (let id = after + 1; id <= last; id++) items.push({ id, name: `item ${id}` })
    response.setHeader('content-type', 'application/json').end(JSON.stringify(items))
  })
  server.listen(listenPort, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    state,
    url: `http://127.0.0.1:${port}/`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
