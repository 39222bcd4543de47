import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readInto } from './read-into.ts'

const server = createServer({ pauseOnConnect: true })
let client: Socket
let accepted: Socket

beforeEach(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const connection = once(server, 'connection')
  client = connect({ port, host: '127.0.0.1' })
  accepted = (await connection)[0] as Socket
})

afterEach(() => {
  client.destroy()
  server.close()
})

test("the socket reads into the target's buffers in turn, and reports the end of the stream", async () => {
  let text = ''
  let memory = Buffer.alloc(1)
  const socket = readInto(accepted, {
    buffer: () => (memory = Buffer.alloc(memory.length + 1)),
    onRead: count => (text += memory.toString('latin1', 0, count)),
  })
  socket.resume()
  client.end('abcdefghij')
  await once(socket, 'end')
  expect(text).toBe('abcdefghij')
  // The other direction of the connection is still open.
  const [answer, close] = [once(client, 'data'), once(socket, 'close')]
  socket.write('answer')
  socket.destroySoon()
  expect(String((await answer)[0])).toBe('answer')
  await close
})

test('a paused socket reads nothing, whether it was paused before its first read or later', async () => {
  const seen: string[] = []
  const memory = Buffer.alloc(2)
  const socket = readInto(accepted, {
    buffer: () => memory,
    onRead(count) {
      seen.push(memory.toString('latin1', 0, count))
      socket.pause()
      socket.emit('read')
    },
  })
  client.write('abcd')
  // The client wrote `abcd` before it received `x`. When it receives `x`, the socket could read
  // `abcd` if it were not paused.
  socket.write('x')
  await once(client, 'data')
  expect(seen).toEqual([])
  for (const expected of [['ab'], ['ab', 'cd']]) {
    const read = once(socket, 'read')
    socket.resume()
    await read
    expect(seen).toEqual(expected)
  }
  socket.destroy()
})

test('the server does not count the connection any more, and a broken connection is reported', async () => {
  const socket = readInto(accepted, { buffer: () => Buffer.alloc(10), onRead: () => {} })
  server.close()
  await once(server, 'close')
  expect(socket.remotePort).toBe(client.localPort)
  const failed = once(socket, 'error')
  socket.resume()
  client.resetAndDestroy()
  expect(((await failed)[0] as NodeJS.ErrnoException).code).toBe('ECONNRESET')
})

test('a closed connection is rejected', () => {
  accepted.destroy()
  expect(() => readInto(accepted, { buffer: () => Buffer.alloc(1), onRead: () => {} })).toThrow('closed')
})
