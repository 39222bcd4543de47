import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type pg from 'pg'
import { afterEach, expect, test } from 'vitest'
import { WireConnection } from './wire.ts'

const TERMINATE = Buffer.from([0x58, 0, 0, 0, 4])
const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** Returns a connection to a local server that handles its sockets with `serve`. */
async function connection(serve: (socket: Socket) => void): Promise<WireConnection> {
  const server = createServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => {})
    closers.push(() => socket.destroy())
    serve(socket)
  })
  closers.push(() => server.close())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
  const stream = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await new Promise(resolve => stream.once('connect', resolve))
  const client = { connection: { stream }, removeAllListeners: () => undefined } as unknown as pg.Client
  return new WireConnection(client, 1000)
}

test('close sends Terminate and resolves when the server has closed its side', async () => {
  let free = false
  const wire = await connection(socket => {
    const got: Buffer[] = []
    socket.on('data', (chunk: Buffer) => {
      got.push(chunk)
      if (!Buffer.concat(got).equals(TERMINATE)) return
      setTimeout(() => {
        free = true
        socket.end()
      }, 50)
    })
  })
  await Promise.all([wire.close(), wire.close()])
  expect(free).toBe(true)
})

test('close discards data that still arrives, even if there is more than the queue may contain', async () => {
  let free = false
  const wire = await connection(socket => {
    socket.write(Buffer.alloc(4_000_000))
    socket.on('data', () => {
      free = true
      socket.end()
    })
  })
  await wire.chunks.wait(AbortSignal.timeout(5000))
  await wire.close()
  expect(free).toBe(true)
})

test('a WireConnection of a closed socket throws MR_PG_CONNECTION_LOST', async () => {
  const stream = connect(1, '127.0.0.1').on('error', () => {})
  await new Promise(resolve => stream.once('close', resolve))
  const client = { connection: { stream }, removeAllListeners: () => undefined } as unknown as pg.Client
  const wire = new WireConnection(client, 1000)
  await expect(wire.rows('select 1', AbortSignal.timeout(5000))).rejects.toThrow(/MR_PG_CONNECTION_LOST/)
  await wire.close()
})

test('close resolves if the server does not reply', async () => {
  const wire = await connection(socket => socket.pause())
  await wire.close()
})
