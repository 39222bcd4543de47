import type { NetConnectOpts } from 'node:net'
import { expect, test, vi } from 'vitest'
import { freePort } from '../../common/free-port.ts'
import { Connection } from './connection.ts'
import { Traffic } from './traffic.ts'

// By chance, Linux can choose the destination port as the source port. The mock forces this.
vi.mock('node:net', async original => {
  const net = await original<typeof import('node:net')>()
  return { ...net, connect: (o: NetConnectOpts & { port: number }) => net.connect({ ...o, localPort: o.port }) }
})

test('a socket that is connected to itself counts as a refused connection', async () => {
  const options = {
    clientId: 'test',
    setupTimeoutMs: 1000,
    maxIdleMs: 0,
    requestTimeoutMs: 1000,
    traffic: new Traffic(),
  }
  const address = { host: '127.0.0.1', port: await freePort() }
  await expect(Connection.open(address, options, new AbortController().signal)).rejects.toMatchObject({
    code: 'MR_CLIENT_CONNECT',
    message: expect.stringContaining('nothing listens on this port'),
  })
})
